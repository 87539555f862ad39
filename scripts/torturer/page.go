package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// item is what the source says about one page. Its sum holds path, version and
// text together, so that a page that was made of two versions, or of half of
// one, is found out by itself.
type item struct {
	Path    string `json:"path"`
	Group   string `json:"group"`
	Version int    `json:"version"`
	Sum     string `json:"sum"`
	Text    string `json:"text"`
}

// pageTemplate has everything about the item in it, and a fixed beginning and
// end.
const pageTemplate = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{{.item.path}}</title></head><body>` +
	`<main data-version="{{.item.version}}" data-sum="{{.item.sum}}">{{trusted .item.text}}</main>` +
	`<footer>{{.item.version}}</footer></body></html>` + "\n"

var pageShape = regexp.MustCompile(`(?s)\A<!doctype html><html lang="en"><head><meta charset="utf-8"><title>(.*?)</title></head><body>` +
	`<main data-version="(\d+)" data-sum="([0-9a-f]{64})">(.*)</main>` +
	`<footer>(\d+)</footer></body></html>\n\z`)

// makeItem makes the content of a page at one version. No two versions have
// the same size as their neighbours, so that a mixture does not fit by chance.
func makeItem(path, group string, version, size int) item {
	line := fmt.Sprintf("<p>%s, version %d: a line of it.</p>\n", path, version)
	text := strings.Repeat(line, 1+(size+version%7*size/16)/len(line))
	return item{Path: path, Group: group, Version: version, Sum: sum(path, version, text), Text: text}
}

func sum(path string, version int, text string) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%s\n%d\n%s", path, version, text))
	return hex.EncodeToString(h[:])
}

// makePage is what Rebake makes of an item: for tests and controls.
func makePage(it item) string {
	return strings.NewReplacer("{{.item.path}}", it.Path, "{{.item.version}}", strconv.Itoa(it.Version),
		"{{.item.sum}}", it.Sum, "{{trusted .item.text}}", it.Text).Replace(pageTemplate)
}

// readPage returns the version that a page shows. The error says in what way
// it is none: cut, mixed, empty, or another page.
func readPage(path string, body []byte) (version int, err error) {
	if len(body) == 0 {
		return 0, errors.New("it is empty")
	}
	m := pageShape.FindSubmatch(body)
	if m == nil {
		return 0, fmt.Errorf("its %d bytes do not begin and end as a page does", len(body))
	}
	title, version, text := string(m[1]), atoi(m[2]), string(m[4])
	switch {
	case title != path:
		return 0, fmt.Errorf("it is the page of %s", title)
	case version != atoi(m[5]):
		return 0, fmt.Errorf("it begins as version %d and ends as version %d", version, atoi(m[5]))
	case sum(path, version, text) != string(m[3]):
		return 0, fmt.Errorf("its text is not that of version %d", version)
	}
	return version, nil
}

// atoi reads digits that a pattern has matched.
func atoi(digits []byte) int {
	n, _ := strconv.Atoi(string(digits))
	return n
}
