package config

import "strings"

// suggest returns the known word that was most likely meant, "" when none is
// near: one slip for each three letters.
func suggest(word string, known []string) string {
	if len(word) > 40 { // no key is that long, and the file may hold many
		return ""
	}
	best, least := "", (len(word)+2)/3
	for _, k := range known {
		d := distance(strings.ToLower(word), k)
		if d < len(k) && (d < least || d == least && best == "") {
			best, least = k, d
		}
	}
	return best
}

// distance counts the letters to insert, delete, replace or swap with their
// neighbour to make b of a.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			replace := 1
			if a[i-1] == b[j-1] {
				replace = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+replace)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}
