package upstream

import "testing"

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
