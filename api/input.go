package api

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// input is what a request to /api/revalidate says, in any of the shapes that
// its callers use: a query, a form, or JSON.
type input struct {
	secrets       []string
	paths         []string // decoded, or in the URL form where escaped says so
	escapedPaths  []string
	slugs         []string
	labels        []string // names of inputs that name no path
	wait          string
	recheck       string
	onlyGenerated string
}

// readInput reads the query and the body.
func (a *API) readInput(w http.ResponseWriter, r *http.Request) (input, error) {
	in := input{secrets: headerSecrets(r)}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return in, bad("bad_query", "the query cannot be read: a % must be followed by two hex digits, and ; separates nothing")
	}
	in.addValues(query)
	if r.Header.Get("Content-Encoding") != "" {
		return in, &badRequest{http.StatusUnsupportedMediaType, "encoding", "send the body without Content-Encoding"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, a.cfg.MaxBody))
	if err != nil {
		return in, fmt.Errorf("read body: %w", err)
	}
	return in, in.addBody(r.Header.Get("Content-Type"), body)
}

// addBody takes JSON for what it is, whatever the header says: WordPress sends
// it as a form when a plugin forgets to set the type.
func (in *input) addBody(contentType string, body []byte) error {
	text := strings.TrimSpace(string(body))
	if text == "" {
		return nil
	}
	t, _, _ := mime.ParseMediaType(contentType)
	if strings.HasPrefix(text, "{") || t == "application/json" || strings.HasSuffix(t, "+json") {
		return in.addJSON([]byte(text))
	}
	if t != "application/x-www-form-urlencoded" {
		return &badRequest{http.StatusUnsupportedMediaType, "content_type", "send JSON, or a form as application/x-www-form-urlencoded"}
	}
	form, err := url.ParseQuery(text)
	if err != nil {
		return bad("bad_form", "the form cannot be read")
	}
	in.addValues(form)
	return nil
}

func (in *input) addValues(v url.Values) {
	in.secrets = append(in.secrets, slices.Concat(v["secret"], v["token"])...)
	in.paths = append(in.paths, v["path"]...)
	in.slugs = append(in.slugs, v["slug"]...)
	for _, name := range []string{"tag", "tags", "prefix", "postId"} {
		if v.Has(name) {
			in.labels = append(in.labels, name)
		}
	}
	set(&in.wait, v.Get("wait"))
	set(&in.recheck, v.Get("recheck"))
	set(&in.onlyGenerated, v.Get("only_generated"))
}

func set(to *string, v string) {
	if v != "" {
		*to = v
	}
}

// addJSON takes the fields that it knows. Paths in JSON are in their URL form,
// as CMSs take them from permalinks.
func (in *input) addJSON(body []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return bad("bad_json", "the body is not a JSON object")
	}
	texts := func(name string) ([]string, error) {
		list, err := stringOrList(fields[name])
		if err != nil {
			return nil, bad("bad_json", fmt.Sprintf("%q must be a string or a list of strings", name))
		}
		return list, nil
	}
	for _, f := range []struct {
		name string
		to   *[]string
	}{{"secret", &in.secrets}, {"token", &in.secrets}, {"path", &in.escapedPaths}, {"paths", &in.escapedPaths}, {"slug", &in.slugs}} {
		list, err := texts(f.name)
		if err != nil {
			return err
		}
		*f.to = append(*f.to, list...)
	}
	for _, name := range []string{"tag", "tags", "prefix", "postId", "contentId", "data"} {
		if _, ok := fields[name]; ok {
			in.labels = append(in.labels, name)
		}
	}
	for name, to := range map[string]*string{"wait": &in.wait, "recheck": &in.recheck, "only_generated": &in.onlyGenerated} {
		if raw, ok := fields[name]; ok {
			*to = strings.Trim(string(raw), `"`)
		}
	}
	return nil
}

func stringOrList(raw json.RawMessage) ([]string, error) {
	if raw == nil || string(raw) == "null" {
		return nil, nil
	}
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return []string{one}, nil
	}
	var list []string
	err := json.Unmarshal(raw, &list)
	return list, err
}

// parseWait reads "1", "true" or a duration.
func parseWait(s string, most time.Duration) (time.Duration, error) {
	switch s {
	case "", "0", "false":
		return 0, nil
	case "1", "true":
		return min(20*time.Second, most), nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 || d > most {
		return 0, bad("bad_wait", fmt.Sprintf("wait=%q: use 1, or a duration of at most %s, such as 20s", s, most))
	}
	return d, nil
}

func parseSwitch(name, s string, otherwise bool) (bool, error) {
	switch s {
	case "":
		return otherwise, nil
	case "1", "true", "on":
		return true, nil
	case "0", "false", "off":
		return false, nil
	}
	return false, bad("bad_"+name, fmt.Sprintf("%s=%q: use 1 or 0", name, s))
}
