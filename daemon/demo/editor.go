package demo

import (
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

//go:embed editor.html
var editorFiles embed.FS

// Editor is the CMS' server: pages where a person edits posts, and the REST
// API below /wp-json/. Pages of other sites cannot make a browser change
// anything here. Safe for concurrent use.
type Editor struct {
	cms      *CMS
	notifier *Notifier
	site     string
	pages    *template.Template
	handler  http.Handler
}

// NewEditor returns the server for a CMS whose changes the notifier tells to
// Rebake; site is the public URL of the site, without a slash at the end. It
// takes the CMS' Changed and Home unless they are set.
func NewEditor(cms *CMS, notifier *Notifier, site string) (*Editor, error) {
	pages, err := template.New("").Funcs(template.FuncMap{"took": took}).ParseFS(editorFiles, "editor.html")
	if err != nil {
		return nil, fmt.Errorf("parse editor: %w", err)
	}
	if cms.Changed == nil {
		cms.Changed = notifier.Send
	}
	if cms.Home == "" {
		cms.Home = site
	}
	e := &Editor{cms: cms, notifier: notifier, site: site, pages: pages}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", e.list)
	mux.HandleFunc("GET /new", e.blank)
	mux.HandleFunc("POST /new", e.create)
	mux.HandleFunc("GET /edit/{id}", e.edit)
	mux.HandleFunc("POST /edit/{id}", e.save)
	mux.HandleFunc("POST /delete/{id}", e.remove)
	mux.Handle("/wp-json/", cms)
	e.handler = http.NewCrossOriginProtection().Handler(mux)
	return e, nil
}

// ServeHTTP answers the editor and the API.
func (e *Editor) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.handler.ServeHTTP(w, r) }

// form is what a person typed; an invalid one is shown again as it was.
type form struct {
	Title, Text, Slug string
	Category          int
}

// view is what the pages of the editor show.
type view struct {
	Site       string
	Posts      []row
	Categories []Category
	Recent     []Delivery
	Sent       *Delivery // the trigger of the change just made

	ID      int // 0 for a new post
	Form    form
	Public  string // path of the public page, "" for a new post
	Problem string
}

// row is a post in the list.
type row struct {
	Post
	Category string
}

func (e *Editor) list(w http.ResponseWriter, r *http.Request) {
	const shown = 6 // triggers
	v := e.view(r)
	v.Recent = e.notifier.Recent(shown)
	for _, p := range e.cms.Posts() {
		var names []string
		for _, id := range p.Categories {
			category, _ := e.cms.category(id)
			names = append(names, category.Name)
		}
		v.Posts = append(v.Posts, row{p, strings.Join(names, ", ")})
	}
	e.show(w, http.StatusOK, "list", v)
}

func (e *Editor) blank(w http.ResponseWriter, r *http.Request) {
	v := e.view(r)
	v.Form.Category = v.Categories[0].ID
	e.show(w, http.StatusOK, "edit", v)
}

func (e *Editor) create(w http.ResponseWriter, r *http.Request) {
	f, ok := readForm(w, r)
	if !ok {
		return
	}
	p, change, err := e.cms.Create(f.change())
	if err != nil {
		e.again(w, r, 0, f, err)
		return
	}
	http.Redirect(w, r, fmt.Sprintf("/edit/%d?sent=%d", p.ID, change.ID), http.StatusSeeOther)
}

func (e *Editor) edit(w http.ResponseWriter, r *http.Request) {
	p, err := e.cms.Post(postID(r))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	v := e.view(r)
	v.ID, v.Public = p.ID, p.Path()
	v.Form = form{Title: p.Title, Text: paragraphsOf(p.Content), Slug: p.Slug, Category: p.Categories[0]}
	e.show(w, http.StatusOK, "edit", v)
}

func (e *Editor) save(w http.ResponseWriter, r *http.Request) {
	f, ok := readForm(w, r)
	if !ok {
		return
	}
	p, change, err := e.cms.Update(postID(r), f.change())
	if err != nil {
		e.again(w, r, postID(r), f, err)
		return
	}
	http.Redirect(w, r, fmt.Sprintf("/edit/%d?sent=%d", p.ID, change.ID), http.StatusSeeOther)
}

func (e *Editor) remove(w http.ResponseWriter, r *http.Request) {
	_, change, err := e.cms.Delete(postID(r))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	http.Redirect(w, r, fmt.Sprintf("/?sent=%d", change.ID), http.StatusSeeOther)
}

// again shows a form whose content could not be stored.
func (e *Editor) again(w http.ResponseWriter, r *http.Request, id int, f form, err error) {
	if errors.Is(err, ErrNoPost) {
		http.NotFound(w, r)
		return
	}
	v := e.view(r)
	v.ID, v.Form, v.Problem = id, f, err.Error()
	if _, reason, ok := strings.Cut(v.Problem, ErrInvalid.Error()+": "); ok {
		v.Problem = reason
	}
	if p, err := e.cms.Post(id); err == nil {
		v.Public = p.Path()
	}
	e.show(w, http.StatusUnprocessableEntity, "edit", v)
}

// view holds what all pages show.
func (e *Editor) view(r *http.Request) view {
	v := view{Site: e.site, Categories: e.cms.Categories()}
	if id, err := strconv.Atoi(r.URL.Query().Get("sent")); err == nil {
		if d, ok := e.notifier.Delivery(id); ok {
			v.Sent = &d
		}
	}
	return v
}

func (e *Editor) show(w http.ResponseWriter, status int, page string, v view) {
	var b strings.Builder
	if err := e.pages.ExecuteTemplate(&b, page, v); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	// The public page is shown in a frame; nothing else comes from elsewhere.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src "+e.site+
		"; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, b.String()) // fails when the reader has gone
}

// readForm reads a posted form, and answers itself when it cannot.
func readForm(w http.ResponseWriter, r *http.Request) (form, bool) {
	r.Body = http.MaxBytesReader(w, r.Body, 4*maxContent)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "cannot read the form", http.StatusBadRequest)
		return form{}, false
	}
	category, err := strconv.Atoi(r.PostForm.Get("category"))
	if err != nil {
		category = 0 // no such category, which the CMS says
	}
	return form{
		Title: r.PostForm.Get("title"), Text: r.PostForm.Get("text"),
		Slug: r.PostForm.Get("slug"), Category: category,
	}, true
}

// change is the form as an edit. The excerpt follows the text.
func (f form) change() Edit {
	content, excerpt := paragraphsHTML(f.Text), ""
	return Edit{Title: &f.Title, Content: &content, Excerpt: &excerpt, Slug: &f.Slug, Categories: []int{f.Category}}
}

// took writes a duration for people: "38 ms", "2.4 s".
func took(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", max(d.Milliseconds(), 1))
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
