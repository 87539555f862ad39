package daemon

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/fatih/color"
	"github.com/spf13/cobra"

	"rebake/api"
	"rebake/api/signature"
	"rebake/api/webhook"
	"rebake/daemon/config"
	"rebake/storage"
)

// webhookTest are the flags of `rebake webhook test`.
type webhookTest struct {
	file    string
	headers []string
	query   string
}

func newWebhookTestCommand(flags *globalFlags) *cobra.Command {
	var o webhookTest
	cmd := &cobra.Command{
		Use:   "test NAME --file event.json",
		Short: "Say what an event would do",
		Long: `Test reads an event from a file, as a CMS would send it, and says what the
webhook of the config would make of it: which rules match, the pages, tags and
items that they name, and for how long pages wait. Where rebake runs, it says
which pages that would be. It sends nothing and changes nothing, and needs no
signature. "-" is standard input.

The exit code is 1 when a rule fails on the event, so that it would be parked.`,
		Example: `  rebake webhook test strapi --file event.json
  rebake webhook test github --file push.json --header 'X-GitHub-Event: push'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := flags.load(io.Discard)
			if err != nil {
				return err
			}
			asJSON, _ := cmd.Flags().GetBool("json")
			a := asking{cfg: cfg, screen: newScreen(cmd.OutOrStdout()), json: asJSON}
			return a.testWebhook(cmd, args[0], o)
		},
	}
	cmd.Flags().StringVarP(&o.file, "file", "f", "", "the body of the event")
	cmd.Flags().StringArrayVar(&o.headers, "header", nil, "a header of the event, 'Name: value' (repeatable)")
	cmd.Flags().StringVar(&o.query, "query", "", "the query of the event's address, a=b&c=d")
	cmd.Flags().Bool("json", false, "print the answer as JSON")
	return cmd
}

// webhookReading is what --json prints.
type webhookReading struct {
	Webhook string `json:"webhook"`
	Kind    string `json:"kind"`
	// Rules is how many there are, and Matched the numbers of those that match.
	Rules   int   `json:"rules"`
	Matched []int `json:"matched"`
	// Failed are the parts of rules that came to nothing: the event would be
	// parked.
	Failed []webhook.Failure `json:"failed"`
	// Dropped are the parts of rules that gave nothing.
	Dropped []webhook.Failure `json:"dropped"`

	// Left says of what the event names and is no page of this site why it is left
	// out.
	Left []string `json:"left_out"`

	Paths    []string     `json:"paths"`
	Known    []string     `json:"known"` // that are rendered if they are pages
	Prefixes []string     `json:"prefixes"`
	Tags     []string     `json:"tags"`
	Items    []testedItem `json:"items"`
	All      bool         `json:"all"`
	Asks     []string     `json:"asks,omitempty"` // it is a question about these
	Message  string       `json:"message,omitempty"`
	Settle   string       `json:"settle"`
	MaxWait  string       `json:"max_wait"`
	Recheck  string       `json:"recheck"` // "0s" is never
	// Touched is what would be rendered; absent when rebake does not run.
	Touched *api.DryRun `json:"touched,omitempty"`
	// Unknown says why nobody knows.
	Unknown string `json:"unknown,omitempty"`
}

type testedItem struct {
	Tag     string `json:"tag"`
	Version string `json:"version,omitempty"`
}

func (a asking) testWebhook(cmd *cobra.Command, name string, o webhookTest) error {
	set, err := webhook.NewSet(a.cfg.AllWebhooks())
	if err != nil {
		return failed(err)
	}
	hook, ok := set.Hook(name)
	if !ok {
		known := strings.Join(set.Names(), ", ")
		if known == "" {
			known = "there are none in the config"
		}
		return &exitError{exitUsage, fmt.Errorf("no webhook %q; known: %s", name, known)}
	}
	e, err := o.event(cmd.InOrStdin(), hook)
	if err != nil {
		return err
	}
	reading := set.Read(cmd.Context(), hook, e)
	res := newWebhookReading(hook, reading)
	res.sorted(a.cfg)
	a.touched(cmd.Context(), &res)
	if a.json {
		err = printJSON(a.screen, res)
	} else {
		a.printReading(res)
	}
	if err == nil && len(res.Failed) > 0 {
		return &exitError{exitFailed, errAlreadyTold}
	}
	return err
}

// event reads the event as if it had been sent.
func (o webhookTest) event(stdin io.Reader, hook *webhook.Hook) (webhook.Event, error) {
	usage := func(format string, args ...any) error { return &exitError{exitUsage, fmt.Errorf(format, args...)} }
	var body []byte
	var err error
	switch o.file {
	case "":
		return webhook.Event{}, usage("name a file with the body of an event: --file event.json")
	case "-":
		body, err = io.ReadAll(stdin)
	default:
		body, err = os.ReadFile(o.file)
	}
	if err != nil {
		return webhook.Event{}, failed(fmt.Errorf("read event: %w", err))
	}
	r := signature.Request{Method: http.MethodPost, URL: &url.URL{RawQuery: o.query}, Header: http.Header{"Content-Type": {"application/json"}}, Body: body}
	for _, line := range o.headers {
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.TrimSpace(name) == "" {
			return webhook.Event{}, usage("--header %q: write it as 'Name: value'", line)
		}
		r.Header.Set(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	e, err := hook.Event(r, webhook.Delivery{Event: signature.Event{Header: r.Header, Body: body}})
	return e, failed(err)
}

func newWebhookReading(hook *webhook.Hook, r webhook.Reading) webhookReading {
	cfg := hook.Config()
	res := webhookReading{
		Webhook: hook.Name(), Kind: cfg.Kind, Rules: len(cfg.Rules), Matched: some(r.Matched), Failed: some(r.Failed), Dropped: some(r.Dropped),
		Paths: some(r.Paths), Known: some(r.Known), Prefixes: some(r.Prefixes), Tags: some(r.Tags), Items: []testedItem{}, All: r.All, Asks: r.Ask,
		Left: []string{}, Message: r.Message,
		Settle: cfg.Settle.String(), MaxWait: cfg.MaxWait.String(), Recheck: cfg.Recheck.String(),
	}
	for _, i := range r.Items {
		res.Items = append(res.Items, testedItem(i))
	}
	return res
}

// some makes a list of programs of one that may be nil.
func some[T any](list []T) []T { return append([]T{}, list...) }

func (r webhookReading) isZero() bool {
	return len(r.Paths)+len(r.Known)+len(r.Prefixes)+len(r.Tags)+len(r.Items) == 0 && !r.All
}

// touched asks the rebake that runs which pages would be rendered.
func (a asking) touched(ctx context.Context, res *webhookReading) {
	if res.isZero() {
		return
	}
	c, err := newClient(a.cfg)
	if err != nil {
		res.Unknown = err.Error()
		return
	}
	tags := slices.Clone(res.Tags)
	for _, i := range res.Items {
		tags = append(tags, i.Tag)
	}
	var first api.DryRun
	req := api.CreateTrigger{Paths: res.Paths, Prefixes: res.Prefixes, Tags: tags, All: res.All, DryRun: true}
	if len(req.Paths)+len(req.Prefixes)+len(req.Tags) > 0 || req.All {
		if err := c.post(ctx, "/v1/triggers", req, &first); err != nil {
			res.Unknown = err.Error()
			return
		}
	}
	if len(res.Known) > 0 {
		var more api.DryRun
		if err := c.post(ctx, "/v1/triggers", api.CreateTrigger{Paths: res.Known, OnlyGenerated: true, DryRun: true}, &more); err != nil {
			res.Unknown = err.Error()
			return
		}
		for _, p := range more.Pages {
			if !slices.ContainsFunc(first.Pages, func(has api.Touched) bool { return has.Path == p.Path }) {
				first.Pages = append(first.Pages, p)
			}
		}
		first.Hold = more.Hold
	}
	res.Touched = &first
}

// sorted takes what an event names for pages, as rebake does that runs. Only that
// one knows whether its routes and its file system have them.
func (res *webhookReading) sorted(cfg *config.Config) {
	known := api.Config{Hosts: knownHosts(cfg), Rules: storage.PathRules{Reserved: cfg.Reserved, WellKnown: []string{"/.well-known"}}}
	for _, list := range []*[]string{&res.Paths, &res.Known, &res.Prefixes} {
		pages, left := known.Pages(*list)
		*list = []string{}
		for _, p := range pages {
			*list = append(*list, p.String())
		}
		res.Left = append(res.Left, left...)
	}
}

func (a asking) printReading(res webhookReading) {
	for _, f := range res.Failed {
		a.tell(false, "%s", strings.TrimPrefix(f.Key+": "+f.Message, ": "))
	}
	switch {
	case res.Rules > 0 && len(res.Matched) == 0:
		a.tell(len(res.Failed) == 0, "none of %s matches: the event is ignored", count(int64(res.Rules), "rule", "rules"))
	case res.Rules > 0:
		var names []string
		for _, i := range res.Matched {
			names = append(names, fmt.Sprintf("rules[%d]", i))
		}
		a.tell(true, "%s: %s matches", res.Webhook, strings.Join(names, ", "))
	case len(res.Asks) > 0:
		a.tell(true, "%s: a question about %s", res.Webhook, strings.Join(res.Asks, " "))
	case res.isZero() && len(res.Failed) == 0:
		a.tell(true, "%s: the event triggers nothing", res.Webhook)
	default:
		a.tell(len(res.Failed) == 0, "%s: an event of %s", res.Webhook, res.Kind)
	}
	if res.Message != "" {
		a.screen.note("%s", res.Message)
	}
	if len(res.Failed) > 0 {
		a.screen.note("the event would be parked, and its sender told 200; what follows counts all the same")
	}
	a.printNamed(res)
	for _, why := range res.Left {
		a.screen.field("left out", "%s", why)
	}
	for _, d := range res.Dropped {
		a.screen.field("dropped", "%s: %s", d.Key, d.Message)
	}
	if res.isZero() {
		return
	}
	second := ""
	if res.Recheck != "0s" {
		second = fmt.Sprintf("; a second look %s later", res.Recheck)
	}
	a.screen.field("waits", "until it is quiet for %s, at most %s%s", res.Settle, res.MaxWait, second)
	if res.Touched == nil {
		a.screen.note("which pages have these tags is not known: %s", res.Unknown)
		return
	}
	fmt.Fprintln(a.screen, color.New(color.Faint).Sprint("now, that is:"))
	_ = a.printDryRun(*res.Touched) // to a screen
}

// printNamed prints what an event names.
func (a asking) printNamed(res webhookReading) {
	for _, f := range []struct {
		name string
		list []string
	}{{"paths", res.Paths}, {"known", res.Known}, {"prefixes", res.Prefixes}, {"tags", res.Tags}} {
		if len(f.list) > 0 {
			a.screen.field(f.name, "%s", strings.Join(f.list, " "))
		}
	}
	for _, i := range res.Items {
		text := i.Tag
		if i.Version != "" {
			text += ", version " + i.Version
		}
		a.screen.field("item", "%s", text)
	}
	if res.All {
		a.screen.field("all", "every page, at low priority")
	}
}
