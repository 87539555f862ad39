package worker

import (
	"errors"
	"strings"
	"testing"

	"rebake/renderer"
	"rebake/storage"
)

func TestCheckGates(t *testing.T) {
	strict := renderer.Gates{MaxBytes: 100, Complete: true}
	loose := renderer.Gates{MaxBytes: 100}
	const htmlType = "text/html; charset=utf-8"
	for name, c := range map[string]struct {
		path, mediaType, body string
		gates                 renderer.Gates
		gate                  string // "" to pass
	}{
		"good page":                   {"/a", htmlType, "<p>hi</p></html>", strict, ""},
		"capitals and a last newline": {"/a", htmlType, "<p>hi</p></HTML>\n ", strict, ""},
		"largest page":                {"/a", htmlType, strings.Repeat("x", 93) + "</html>", strict, ""},
		"fragment, allowed":           {"/a", htmlType, "<p>hi</p>", loose, ""},
		"feed":                        {"/feed.xml", "application/xml", "<rss/>", strict, ""},
		"no bytes":                    {"/a", htmlType, "", loose, "empty"},
		"only white space":            {"/a", htmlType, " \r\n\t", loose, "empty"},
		"one byte too many":           {"/a", htmlType, strings.Repeat("x", 94) + "</html>", strict, "too_large"},
		"latin-1":                     {"/a", htmlType, "caf\xe9</html>", strict, "encoding"},
		"JSON at a page":              {"/a", "application/json", "{}", strict, ""},
		"an image at a page":          {"/a", "image/png", "…", strict, "type_mismatch"},
		"page at a feed":              {"/feed.xml", htmlType, "</html>", strict, "type_mismatch"},
		"no type":                     {"/a", "", "</html>", strict, "type_mismatch"},
		"broken type":                 {"/a", "text/html; charset", "</html>", strict, "type_mismatch"},
		"cut off":                     {"/a", htmlType, "<p>hi</p></htm", strict, "complete"},
		"text after the end":          {"/a", htmlType, "</html>Warning: mysql", strict, "complete"},
	} {
		t.Run(name, func(t *testing.T) {
			err := CheckGates(storage.Page{Path: mustPath(c.path), Type: c.mediaType, Body: []byte(c.body)}, c.gates)
			got := ""
			if refused := new(storage.RefusedError); errors.As(err, &refused) {
				got = refused.Gate
			} else if err != nil {
				t.Fatalf("CheckGates = %v, which is no refusal", err)
			}
			if got != c.gate {
				t.Errorf("gate = %q, want %q", got, c.gate)
			}
		})
	}
}

func TestCheckGates_WhatAnOriginMayHaveSentInPart(t *testing.T) {
	gates := renderer.Gates{MaxBytes: 100, Complete: true, CutOff: true}
	for body, want := range map[string]bool{"": true, "<p>hi": true, strings.Repeat("x", 200) + "</html>": false} {
		err := CheckGates(storage.Page{Path: mustPath("/a"), Type: "text/html; charset=utf-8", Body: []byte(body)}, gates)
		var refused *storage.RefusedError
		if !errors.As(err, &refused) || refused.CutOff != want {
			t.Errorf("a page of %d bytes: %v, %+v; want cut off = %t", len(body), err, refused, want)
		}
	}
}
