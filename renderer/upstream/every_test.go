package upstream

import (
	"testing"
	"time"
)

func TestEvery(t *testing.T) {
	for text, want := range map[string]time.Duration{"5m": 5 * time.Minute, "10s": 10 * time.Second, "off": 0} {
		var e Every
		if err := e.UnmarshalText([]byte(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if got := e.Or(time.Hour); got != want {
			t.Errorf("%q is every %s, want %s", text, got, want)
		}
	}
}

func TestEvery_readsWhatItWrites(t *testing.T) {
	for _, want := range []Every{Off, Every(90 * time.Second)} {
		b, err := want.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var got Every
		if err := got.UnmarshalText(b); err != nil || got != want {
			t.Errorf("%d is read from %q as %d (%v)", want, b, got, err)
		}
	}
}

func TestEvery_refuses(t *testing.T) {
	for _, text := range []string{"", "0", "9s", "-5m", "often", "5"} {
		if err := new(Every).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}

func TestEvery_withoutAWord(t *testing.T) {
	if got := Every(0).Or(5 * time.Minute); got != 5*time.Minute {
		t.Errorf("it is every %s", got)
	}
}
