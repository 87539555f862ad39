package source

import (
	"net/http"
	"testing"
)

func TestNextLink(t *testing.T) {
	for _, tc := range []struct {
		lines []string
		want  string
	}{
		{nil, ""},
		{[]string{""}, ""},
		{[]string{"<a"}, ""},
		{[]string{"x"}, ""},
		{[]string{`<a>; rel="prev"`, `<b>; REL=Next`}, "b"},
		{[]string{`<a>; rel="nextx", <b,c;d>;rel="x next"`}, "b,c;d"},
		{[]string{`<a>; title="x, <y>; rel=next"; rel=prev`}, ""},
		{[]string{`<a>`}, ""},
	} {
		if got := nextLink(http.Header{"Link": tc.lines}); got != tc.want {
			t.Errorf("%q: next is %q, want %q", tc.lines, got, tc.want)
		}
	}
}

func TestFollow(t *testing.T) {
	s := sourceFor(t, "https://cms.example.com/api")
	for link, want := range map[string]string{
		"http://CMS.example.com:80/api/x?y=1": "/x?y=1",
		"https://cms.example.com:443/api?y":   "?y",
		"?y=a%2Fb":                            "/posts?y=a%2Fb",
		"more":                                "/more",
		"/api/%C3%A9":                         "/%C3%A9",
		"https://cms.example.com:8443/api/x":  "",
		"https://u@cms.example.com/api/x":     "",
		"https://cms.example.com.evil/api/x":  "",
		"javascript:alert(1)":                 "",
	} {
		got, err := s.follow("/posts?page=1", link)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("follow(%q) = %q, %v; want %q", link, got, err, want)
		}
	}
}
