package demo

import (
	"encoding/json"
	"html"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
)

// wpTime is the form of WordPress' dates: no zone, whole seconds.
const wpTime = "2006-01-02T15:04:05"

func parseTime(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	return time.Parse(wpTime, s)
}

// item is a post as the API shows it.
func (c *CMS) item(p Post, embed bool) map[string]any {
	item := map[string]any{
		"id": p.ID, "slug": p.Slug, "status": "publish", "type": "post", "link": c.Home + p.Path(),
		"date": p.Date.Format(wpTime), "date_gmt": p.Date.Format(wpTime),
		"modified": p.Modified.Format(wpTime), "modified_gmt": p.Modified.Format(wpTime),
		"title":   map[string]any{"rendered": p.titleHTML()},
		"content": map[string]any{"rendered": p.Content, "protected": false},
		"excerpt": map[string]any{"rendered": "<p>" + html.EscapeString(p.summary()) + "</p>\n", "protected": false},
		"author":  1, "featured_media": 0, "comment_status": "closed", "sticky": false, "template": "",
		"format": "standard", "categories": p.Categories, "tags": []int{},
	}
	if embed {
		terms := []any{}
		for _, id := range p.Categories {
			if category, ok := c.category(id); ok {
				terms = append(terms, c.term(category))
			}
		}
		item["_embedded"] = map[string]any{
			"author":  []any{map[string]any{"id": 1, "name": "Marta Lind", "slug": "marta", "link": c.Home}},
			"wp:term": []any{terms, []any{}}, // categories, tags
		}
	}
	return item
}

func (c *CMS) term(category Category) map[string]any {
	return map[string]any{
		"id": category.ID, "slug": category.Slug, "name": html.EscapeString(category.Name),
		"link": c.Home + category.Path(), "taxonomy": "category",
	}
}

func (c *CMS) categoryItem(category Category) map[string]any {
	count := 0
	for _, p := range c.Posts() {
		if slices.Contains(p.Categories, category.ID) {
			count++
		}
	}
	item := c.term(category)
	item["count"], item["parent"] = count, 0
	item["description"] = category.Description
	return item
}

// readEdit decodes the JSON of a change, and answers itself when it cannot.
// Asking for the JSON type keeps plain forms of other sites out.
func readEdit(w http.ResponseWriter, r *http.Request) (Edit, bool) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		refuse(w, http.StatusUnsupportedMediaType, "rest_invalid_type", "Send application/json.")
		return Edit{}, false
	}
	var body struct {
		Title, Content, Excerpt, Slug *rawText
		Categories                    []int
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 2*maxContent)).Decode(&body); err != nil {
		refuse(w, http.StatusBadRequest, "rest_invalid_json", "Invalid JSON body passed.")
		return Edit{}, false
	}
	return Edit{
		Title: (*string)(body.Title), Content: (*string)(body.Content), Excerpt: (*string)(body.Excerpt),
		Slug: (*string)(body.Slug), Categories: body.Categories,
	}, true
}

// rawText is a text field, which WordPress takes as "text" and as {"raw": "text"}.
type rawText string

// UnmarshalJSON reads either form.
func (t *rawText) UnmarshalJSON(b []byte) error {
	if strings.HasPrefix(string(b), "{") {
		var object struct{ Raw string }
		err := json.Unmarshal(b, &object)
		*t = rawText(object.Raw)
		return err
	}
	return json.Unmarshal(b, (*string)(t))
}
