package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// addJSON takes the fields that it knows. Paths in JSON are in their URL form,
// as CMSs take them from permalinks.
func (in *input) addJSON(body []byte) error {
	fields, err := object(body)
	if err != nil {
		return bad("bad_json", "the body is not one JSON object that names each field once")
	}
	var tags []string
	for _, f := range []struct {
		name string
		to   *[]string
	}{
		{"secret", &in.secrets}, {"token", &in.secrets}, {"path", &in.escapedPaths}, {"paths", &in.escapedPaths}, {"slug", &in.slugs},
		{"tag", &tags}, {"tags", &tags}, {"prefix", &in.escapedPrefix},
	} {
		list, err := stringOrList(fields[f.name])
		if err != nil && in.invalid == nil {
			in.invalid = wrong(f.name, "a string or a list of strings")
		}
		*f.to = append(*f.to, list...)
	}
	in.addTags(tags)
	in.addItem("post", in.scalar(fields, "postId"))
	in.addItem("post", in.scalar(fields, "post_id"))
	in.addItem(in.scalar(fields, "contentType"), in.scalar(fields, "contentId"))
	if raw, ok := fields["data"]; ok {
		in.addData(fields, raw)
	}
	for name, to := range map[string]*string{"wait": &in.wait, "recheck": &in.recheck, "only_generated": &in.onlyGenerated} {
		if raw := string(fields[name]); raw != "null" {
			set(to, strings.Trim(raw, `"`))
		}
	}
	return nil
}

// addData takes {"type": …, "data": {"id", "slug", "type", "taxonomy"}}: of a
// term the tag is its taxonomy's. The slug of an item that has a tag is only a
// hint: a term's may make no page of this site.
func (in *input) addData(fields map[string]json.RawMessage, raw json.RawMessage) {
	data, err := object(raw)
	if err != nil {
		in.useless = wrong("data", "an object that names each field once")
		return
	}
	kind := in.scalar(fields, "type")
	for _, name := range []string{"type", "taxonomy"} {
		set(&kind, in.scalar(data, name))
	}
	id, slug := in.scalar(data, "id"), in.scalar(data, "slug")
	in.addItem(kind, id)
	switch {
	case slug == "":
	case kind != "" && id != "":
		in.itemSlugs = append(in.itemSlugs, slug)
	default:
		in.slugs = append(in.slugs, slug)
	}
}

// scalar reads a field that is text or a number; "" when it is neither.
func (in *input) scalar(fields map[string]json.RawMessage, name string) string {
	raw := fields[name]
	var text string
	var number json.Number
	switch {
	case raw == nil || string(raw) == "null":
		return ""
	case json.Unmarshal(raw, &text) == nil:
		return text
	case json.Unmarshal(raw, &number) == nil:
		return number.String()
	}
	in.useless = wrong(name, "a string or a number")
	return ""
}

func wrong(name, want string) error {
	return bad("bad_json", fmt.Sprintf("%q must be %s", name, want))
}

// object reads one JSON object. A name that stands there twice is refused:
// which of the two counts, two programs on the way could read differently.
func object(body []byte) (map[string]json.RawMessage, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errNotObject
	}
	fields := make(map[string]json.RawMessage)
	for dec.More() {
		var value json.RawMessage
		t, err := dec.Token()
		if err == nil {
			err = dec.Decode(&value)
		}
		if err != nil {
			return nil, err
		}
		name, _ := t.(string)
		if _, twice := fields[name]; twice {
			return nil, fmt.Errorf("%q stands there twice", name)
		}
		fields[name] = value
	}
	if _, err := dec.Token(); err != nil { // the closing brace
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errNotObject
	}
	return fields, nil
}

var errNotObject = errors.New("not one JSON object")

func stringOrList(raw json.RawMessage) ([]string, error) {
	if raw == nil || string(raw) == "null" {
		return nil, nil
	}
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return []string{one}, nil
	}
	var list []string
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, err // what was read before the error is nobody's path
	}
	return list, nil
}
