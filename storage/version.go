package storage

import (
	"cmp"
	"strings"
	"time"
)

// CompareVersions tells which version of an item is newer, as CMSs write them:
// times of RFC 3339, times without a zone as WordPress' modified_gmt has them,
// which are UTC, and whole numbers of any length. order is -1 when a is
// older than b, +1 when it is newer. ok is false, and order nothing, when nobody
// can tell: of revisions that are words, only equal ones compare.
func CompareVersions(a, b string) (order int, ok bool) {
	if a == b {
		return 0, true
	}
	if isWhole(a) && isWhole(b) {
		return compareWhole(a, b), true
	}
	at, aok := versionTime(a)
	bt, bok := versionTime(b)
	if !aok || !bok {
		return 0, false
	}
	return at.Compare(bt), true
}

func isWhole(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// compareWhole compares digits, which may be more than a number of Go holds.
func compareWhole(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if d := cmp.Compare(len(a), len(b)); d != 0 {
		return d
	}
	return cmp.Compare(a, b)
}

func versionTime(s string) (t time.Time, ok bool) {
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(form, s); err == nil {
			return t, true
		}
	}
	return t, false
}
