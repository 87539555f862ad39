package config

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rebake/api/webhook"
	"rebake/renderer"
	"rebake/renderer/origin"
	"rebake/renderer/source"
)

const exampleFile = "../../rebake.example.yaml"

func TestExampleFileHoldsTheDefaults(t *testing.T) {
	got, err := Load(exampleFile, env("REBAKE_SECRET", goodSecret))
	if err != nil {
		t.Fatal(err)
	}
	folder, err := filepath.Abs(filepath.Dir(exampleFile))
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.resolve(folder)
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Config{}),
		cmpopts.IgnoreFields(Config{}, "Site", "Output", "Secret", "Sources", "Origins", "Webhooks", "Routes")); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
	cms := source.DefaultConfig()
	if diff := cmp.Diff(cms, got.Sources["cms"], cmpopts.IgnoreFields(source.Config{}, "Kind", "URL")); diff != "" {
		t.Errorf("defaults of a source (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(origin.DefaultConfig(), got.Origins["app"], cmpopts.IgnoreFields(origin.Config{}, "Kind", "URLs", "Build")); diff != "" {
		t.Errorf("defaults of an origin (-want +got):\n%s", diff)
	}
}

func TestExampleFileHoldsWhatIsCommentedOut(t *testing.T) {
	text, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	all := regexp.MustCompile(`(?m)^( *)# ([a-z_]+: )`).ReplaceAllString(string(text), "$1$2")
	all = strings.Replace(all, "secret: ${REBAKE_SECRET}\n", "", 1)
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte(goodSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	c := load(t, strings.Replace(all, "/run/secrets/rebake", key, 1), "CMS_AUTH", "x", "APP_KEY", "x", "WP_SECRET", "a-secret-of-wordpress-0123456789")
	if cms := c.Sources["cms"]; c.SecretFile == "" || len(cms.Headers) == 0 || cms.Rate == 0 || cms.Webhook == nil {
		t.Errorf("secret_file, headers, rate or webhook is not in the file:\n%s", dump(t, c))
	}
}

func TestExampleFileHoldsWebhooks(t *testing.T) {
	text, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile(`(?m)^# webhooks:\n(#.*\n)+`).Find(text)
	c := load(t, "site: https://www.example.com\noutput: ./public\nsecret: "+goodSecret+"\n"+
		regexp.MustCompile(`(?m)^# ?`).ReplaceAllString(string(block), ""), "STRAPI_TOKEN", "a-secret-of-strapi-0123456789")
	got := c.AllWebhooks()["articles"]
	second := time.Second
	want := webhook.Config{Kind: "strapi", Settle: &second}.WithDefaults()
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(webhook.Config{}, "Secret", "Verify", "MaxBody", "Rules")); diff != "" {
		t.Errorf("defaults of a webhook (-want +got):\n%s", diff)
	}
	if len(got.Rules) != 1 || len(got.Rules[0].Paths) != 2 {
		t.Errorf("rules are %+v", got.Rules)
	}
}

func TestExampleFileMakesARenderer(t *testing.T) {
	c, err := Load(exampleFile, env("REBAKE_SECRET", goodSecret))
	if err != nil {
		t.Fatal(err)
	}
	templates, err := renderer.LoadTemplates(fstest.MapFS{"post.html": {}, "feed.xml": {}})
	if err != nil {
		t.Fatal(err)
	}
	sources := make(map[string]*source.Source)
	for name, sc := range c.Sources {
		if sources[name], err = source.New(name, sc); err != nil {
			t.Fatal(err)
		}
	}
	origins := make(map[string]*origin.Origin)
	for name, oc := range c.Origins {
		if origins[name], err = origin.New(name, oc, c.Site, c.TrailingSlash); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := renderer.New(renderer.Config{Site: c.Site, Routes: c.Routes, Sources: sources, Origins: origins, Templates: templates}); err != nil {
		t.Error(c.Wrap(err))
	}
}

func TestExampleFileHoldsEveryKey(t *testing.T) {
	text, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	var walk func(t reflect.Type, visit func(key string))
	walk = func(t reflect.Type, visit func(key string)) {
		switch {
		case t.Kind() == reflect.Slice || t.Kind() == reflect.Map || t.Kind() == reflect.Pointer:
			walk(t.Elem(), visit)
		case t.Kind() == reflect.Struct:
			for f := range t.Fields() {
				if key, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); key != "" && key != "-" {
					visit(key)
					walk(f.Type, visit)
				}
			}
		}
	}
	walk(configType, func(key string) {
		if !regexp.MustCompile(`(?m)^[ #-]*` + key + `:( |$)`).Match(text) {
			t.Errorf("%s does not hold the key %s", filepath.Base(exampleFile), key)
		}
	})
}
