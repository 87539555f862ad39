package demo

import (
	"html"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// The editor shows plain paragraphs, the API speaks HTML. These functions go
// from one to the other.

var (
	blankLines     = regexp.MustCompile(`\n[ \t]*\n\s*`)
	paragraphBreak = regexp.MustCompile(`(?i)</(p|h[1-6]|li|blockquote)>`)
	lineBreak      = regexp.MustCompile(`(?i)<br[^>]*>`)
	anyTag         = regexp.MustCompile(`<[^>]*>`)
)

// paragraphsHTML makes HTML paragraphs of plain text: an empty line parts two
// paragraphs, a new line is kept as one.
func paragraphsHTML(text string) string {
	var b strings.Builder
	for _, block := range splitBlocks(text) {
		b.WriteString("<p>" + strings.ReplaceAll(html.EscapeString(block), "\n", "<br />\n") + "</p>\n")
	}
	return b.String()
}

// paragraphsOf is the plain text of HTML, an empty line between paragraphs.
// Other mark-up than paragraphs and line breaks loses its tags.
func paragraphsOf(content string) string {
	s := strings.ReplaceAll(content, "\n", " ")
	s = lineBreak.ReplaceAllString(s, "\n")
	s = paragraphBreak.ReplaceAllString(s, "\n\n")
	s = html.UnescapeString(anyTag.ReplaceAllString(s, ""))
	blocks := splitBlocks(s)
	for i, block := range blocks {
		lines := strings.Split(block, "\n")
		for j := range lines {
			lines[j] = strings.TrimSpace(lines[j])
		}
		blocks[i] = strings.Join(lines, "\n")
	}
	return strings.Join(blocks, "\n\n")
}

// autoParagraphs makes paragraphs of HTML that has none, as WordPress does.
func autoParagraphs(content string) string {
	if strings.Contains(content, "<p") {
		return content
	}
	var b strings.Builder
	for _, block := range splitBlocks(content) {
		b.WriteString("<p>" + block + "</p>\n")
	}
	return b.String()
}

func splitBlocks(text string) []string {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	if text == "" {
		return nil
	}
	return blankLines.Split(text, -1)
}

// plainText is the text of HTML in one line.
func plainText(content string) string {
	return strings.Join(strings.Fields(html.UnescapeString(anyTag.ReplaceAllString(content, " "))), " ")
}

// slugify makes the part of a URL that stands for a title: lower-case ASCII
// letters and digits, parted by hyphens; "" when nothing is left.
func slugify(title string) string {
	const most = 80
	var b strings.Builder
	gap := false
	for _, r := range norm.NFD.String(strings.ToLower(title)) {
		switch {
		case unicode.Is(unicode.Mn, r) || r == '\'' || r == '’':
			// An accent or an apostrophe is part of the word around it.
		case 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(r)
		default:
			gap = true
		}
		if b.Len() >= most {
			break
		}
	}
	return b.String()
}
