package origin

import (
	"net/url"
	"testing"
)

func TestLinks_rewrite(t *testing.T) {
	public, err := url.Parse("https://www.example.com")
	if err != nil {
		t.Fatal(err)
	}
	l := newLinks(public, []string{"127.0.0.1:3000", "cms.example.com"})
	for _, tc := range []struct{ in, want string }{
		{`<a href="http://127.0.0.1:3000/a">`, `<a href="https://www.example.com/a">`},
		{`<a href="https://cms.example.com">`, `<a href="https://www.example.com">`},
		{`src=//cms.example.com/x.js`, `src=//www.example.com/x.js`},
		{`{"url":"http:\/\/cms.example.com\/a"}`, `{"url":"https:\/\/www.example.com\/a"}`},
		{`{"url":"\/\/cms.example.com\/a"}`, `{"url":"\/\/www.example.com\/a"}`},
		{`?url=http%3A%2F%2F127.0.0.1%3A3000%2Fa`, `?url=https%3A%2F%2Fwww.example.com%2Fa`},
		{`?url=http%3a%2f%2fcms.example.com%2fa`, `?url=https%3a%2f%2fwww.example.com%2fa`},
		{`http://cms.example.com and https://cms.example.com.`, `https://www.example.com and https://www.example.com.`},
		// What is another host, or no link at all, stays.
		{`http://127.0.0.1:30001/`, `http://127.0.0.1:30001/`},
		{`http://cms.example.com:8080/`, `http://cms.example.com:8080/`},
		{`http%3A%2F%2Fcms.example.com%3A8080`, `http%3A%2F%2Fcms.example.com%3A8080`},
		{`http://cms.example.com.evil.org/`, `http://cms.example.com.evil.org/`},
		{`http://cms.example.community/`, `http://cms.example.community/`},
		{`http://my-cms.example.com/`, `http://my-cms.example.com/`},
		{`ftp://cms.example.com/`, `ftp://cms.example.com/`},
		{`mail me@cms.example.com`, `mail me@cms.example.com`},
		{`the host cms.example.com`, `the host cms.example.com`},
		{`https://www.example.com/a`, `https://www.example.com/a`},
		{``, ``},
	} {
		if got := string(l.rewrite([]byte(tc.in))); got != tc.want {
			t.Errorf("%s\n gives %s\n  want %s", tc.in, got, tc.want)
		}
	}
}

func FuzzLinks_leavesNoLinkToTheOrigin(f *testing.F) {
	public, err := url.Parse("https://www.example.com")
	if err != nil {
		f.Fatal(err)
	}
	l := newLinks(public, []string{"cms.local"})
	f.Add("a", "b")
	f.Add("http:", "/x")
	f.Fuzz(func(t *testing.T, before, after string) {
		text := before + `"http://cms.local/` + after
		once := l.rewrite([]byte(text))
		if twice := l.rewrite(once); string(twice) != string(once) {
			t.Errorf("%q: a second time gives %q after %q", text, twice, once)
		}
	})
}
