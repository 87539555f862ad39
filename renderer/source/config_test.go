package source

import (
	"strings"
	"testing"
)

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
