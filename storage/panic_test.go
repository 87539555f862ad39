package storage

import (
	"errors"
	"strings"
	"testing"
)

func burn() error { panic("oven on fire") }

func TestContain_MakesAPanicAnErrorThatSaysWhere(t *testing.T) {
	err := Contain(burn)
	var p *PanicError
	if !errors.As(err, &p) {
		t.Fatalf("err = %v, want a *PanicError", err)
	}
	if got, want := err.Error(), "panicked: oven on fire"; got != want {
		t.Errorf("err = %q, want %q", got, want)
	}
	if !strings.Contains(string(p.Stack), "storage.burn") {
		t.Errorf("stack = %s, want the function that panicked in it", p.Stack)
	}
}

func TestContain_ReturnsTheErrorOfF(t *testing.T) {
	want := errors.New("no flour")
	if err := Contain(func() error { return want }); !errors.Is(err, want) {
		t.Errorf("err = %v, want %v", err, want)
	}
}
