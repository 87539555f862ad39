package storage

import (
	"strings"
	"testing"
)

func TestCompareVersions(t *testing.T) {
	for _, tt := range []struct {
		name, a, b string
		want       int
	}{
		{"equal words", "rev-b", "rev-b", 0},
		{"times", "2026-11-23T10:00:00Z", "2026-11-23T10:00:01Z", -1},
		{"fractions of a second", "2026-11-23T10:00:00.530Z", "2026-11-23T10:00:00.53Z", 0},
		{"a fraction is later than none", "2026-11-23T10:00:00.001Z", "2026-11-23T10:00:00Z", 1},
		{"zones", "2026-11-23T11:00:00+01:00", "2026-11-23T10:00:01Z", -1},
		{"WordPress' form is UTC", "2026-11-23T10:00:00", "2026-11-23T11:00:00+01:00", 0},
		{"WordPress' form", "2026-11-23T10:00:01", "2026-11-23T10:00:00", 1},
		{"whole numbers are no words", "9", "10", -1},
		{"zeros in front", "007", "7", 0},
		{"numbers longer than any of Go", "1" + strings.Repeat("0", 40), strings.Repeat("9", 40), 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := CompareVersions(tt.a, tt.b)
			if got != tt.want || !ok {
				t.Errorf("CompareVersions(%q, %q) = %d, %t, want %d", tt.a, tt.b, got, ok, tt.want)
			}
			if got, ok := CompareVersions(tt.b, tt.a); got != -tt.want || !ok {
				t.Errorf("CompareVersions(%q, %q) = %d, %t, want %d", tt.b, tt.a, got, ok, -tt.want)
			}
		})
	}
}

func TestCompareVersions_WhatCannotBeCompared(t *testing.T) {
	for _, tt := range []struct{ name, a, b string }{
		{"words", "rev-a", "rev-b"},
		{"a word and a number", "rev-a", "7"},
		{"a number and a time", "20261123", "2026-11-23T10:00:00Z"},
		{"none and a number", "", "7"},
		{"none and a time", "2026-11-23T10:00:00", ""},
		{"a day", "2026-11-23", "2026-11-24"},
		{"no such day", "2026-11-31T10:00:00Z", "2026-11-30T10:00:00Z"},
		{"numbers that are not whole", "1.5", "2.5"},
		{"numbers below zero", "-2", "1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := CompareVersions(tt.a, tt.b); ok || got != 0 {
				t.Errorf("CompareVersions(%q, %q) = %d, %t, want that nobody can tell", tt.a, tt.b, got, ok)
			}
		})
	}
}
