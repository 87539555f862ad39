package webhook

import (
	"slices"
	"strings"
	"unicode"
)

// guarding are the words that end the name of what lets somebody in: "token" of
// access_token and of accesstoken. An author is no auth.
var guarding = []string{"auth", "authorization", "authentication", "cookie", "secret", "signature", "token", "password", "passwd", "apikey"}

// Guards reports whether a header or a parameter may let somebody in, by its
// name.
func Guards(name string) bool {
	words := wordsOf(name)
	for i, word := range words {
		word = strings.TrimSuffix(word, "s")
		if word == "key" && i > 0 && words[i-1] == "api" || word == "sig" || word == "pwd" {
			return true
		}
		if slices.ContainsFunc(guarding, func(end string) bool { return strings.HasSuffix(word, end) }) {
			return true
		}
	}
	return false
}

// wordsOf returns the words of a name in lower case: X-Auth-Token, auth_token
// and authToken have the same.
func wordsOf(name string) []string {
	var spaced strings.Builder
	small := false
	for _, r := range name {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			r = ' '
		case unicode.IsUpper(r) && small:
			spaced.WriteByte(' ')
		}
		small = unicode.IsLower(r)
		spaced.WriteRune(unicode.ToLower(r))
	}
	return strings.Fields(spaced.String())
}
