package origin

import (
	"strings"
	"testing"
)

func TestConfig_ValidateNamesEveryKey(t *testing.T) {
	err := Config{Kind: "rails", URLs: []string{"127.0.0.1:3000", "http://u:p@h", "http://h/x"}, Host: "a/b", Build: "x",
		Discover: []string{"guess"}, Assets: "cdn", Rate: -1}.Validate()
	for _, key := range []string{"kind", "urls[0]", "urls[1]", "urls[2]", "host", "build", "discover[0]", "assets", "timeout", "concurrency", "max_bytes", "rate"} {
		if err == nil || !strings.Contains("\n"+err.Error(), "\n"+key+": ") {
			t.Errorf("nothing about %s in:\n%v", key, err)
		}
	}
	c := DefaultConfig()
	if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), "urls: ") {
		t.Errorf("without urls: %v", err)
	}
	c.URLs = []string{"http://127.0.0.1:3000/"}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}
