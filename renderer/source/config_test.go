package source

import (
	"strings"
	"testing"
)

func TestRate_text(t *testing.T) {
	for text, want := range map[string]Rate{"20/s": 20, "600/m": 10, " 36 / h": 0.01, "0.5/s": 0.5} {
		var r Rate
		if err := r.UnmarshalText([]byte(text)); err != nil || r != want {
			t.Errorf("%q = %v, %v; want %v", text, r, err, want)
		}
	}
	for _, text := range []string{"", "20", "/s", "20/d", "0/s", "-1/s", "NaN/s", "Inf/s", "x/s", "1e10/s"} {
		var r Rate
		if err := r.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q = %v, want an error", text, r)
		}
	}
	if text, err := Rate(10).MarshalText(); err != nil || string(text) != "10/s" {
		t.Errorf("10 is written %q, %v", text, err)
	}
}

func TestConfig_ValidateNamesEveryKey(t *testing.T) {
	err := Config{URL: "https://u:p@cms.example.com", Kind: "joomla"}.Validate()
	if err == nil {
		t.Fatal("no error")
	}
	for _, key := range []string{"url", "kind", "timeout", "concurrency", "max_bytes"} {
		if !strings.Contains("\n"+err.Error(), "\n"+key+": ") {
			t.Errorf("nothing about %s in:\n%v", key, err)
		}
	}
	for _, url := range []string{"", "x", "ftp://h/", "https:///x", "https://h/?a=b", "https://h/#a"} {
		c := DefaultConfig()
		c.URL = url
		if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), "url: ") {
			t.Errorf("url %q: error %v", url, err)
		}
	}
}
