package nginx

import (
	"slices"
	"strings"
	"testing"
)

func valid() Config {
	return Config{ServerName: "www.example.com", Output: "/srv/site/public", Listen: "127.0.0.1:8600"}
}

func TestServer_RefusesWhatCouldBreakOut(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"output with variable":       func(c *Config) { c.Output = "/srv/$host" },
		"output with line end":       func(c *Config) { c.Output = "/srv/a\n}" },
		"output with NUL":            func(c *Config) { c.Output = "/srv/a\x00" },
		"output relative":            func(c *Config) { c.Output = "public" },
		"output empty":               func(c *Config) { c.Output = "" },
		"server name with semicolon": func(c *Config) { c.ServerName = "a.example; root /;" },
		"server name with brace":     func(c *Config) { c.ServerName = "a{" },
		"server name with regex":     func(c *Config) { c.ServerName = "~^.*$" },
		"server name with line end":  func(c *Config) { c.ServerName = "a.example\n;" },
		"server name empty":          func(c *Config) { c.ServerName = "" },
		"listen without port":        func(c *Config) { c.Listen = "127.0.0.1" },
		"listen with path":           func(c *Config) { c.Listen = "127.0.0.1:80/x" },
		"listen with variable":       func(c *Config) { c.Listen = "$host:80" },
		"listen empty":               func(c *Config) { c.Listen = "" },
		"server listen with options": func(c *Config) { c.ServerListen = "80; root /" },
		"server listen too large":    func(c *Config) { c.ServerListen = "65536" },
	} {
		t.Run(name, func(t *testing.T) {
			c := valid()
			change(&c)
			if text, err := Server(c); err == nil {
				t.Errorf("no error, but\n%s", text)
			} else if field, _, _ := strings.Cut(name, " "); !strings.HasPrefix(err.Error(), field) {
				t.Errorf("error %q does not name the %s", err, field)
			}
		})
	}
}

func TestServer_RefusesOriginsThatCouldBreakOut(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"site missing":                       func(c *Config) { c.Site = "" },
		"site with path":                     func(c *Config) { c.Site = "https://a/b" },
		"site with variable":                 func(c *Config) { c.Site = "https://$host" },
		"origin with a bad name":             func(c *Config) { c.Origins[0].Name = "a b" },
		"origin without name":                func(c *Config) { c.Origins[0].Name = "" },
		"origin twice":                       func(c *Config) { c.Origins = append(c.Origins, c.Origins[0]) },
		"origin of unknown kind":             func(c *Config) { c.Origins[0].Kind = "rails" },
		"origin without URL":                 func(c *Config) { c.Origins[0].URLs = nil },
		"origin with path":                   func(c *Config) { c.Origins[0].URLs = []string{"http://a/b"} },
		"origin with semicolon":              func(c *Config) { c.Origins[0].URLs = []string{"http://a;b"} },
		"origin with variable":               func(c *Config) { c.Origins[0].URLs = []string{"http://$host"} },
		"origin with user":                   func(c *Config) { c.Origins[0].URLs = []string{"http://u:p@a"} },
		"origin with bad port":               func(c *Config) { c.Origins[0].URLs = []string{"http://a:99999"} },
		"origin with another scheme":         func(c *Config) { c.Origins[0].URLs = []string{"ftp://a"} },
		"origin with two schemes":            func(c *Config) { c.Origins[0].URLs = []string{"http://a", "https://a"} },
		"origin with host that ends":         func(c *Config) { c.Origins[0].Host = "a; b" },
		"origin with variable as host":       func(c *Config) { c.Origins[0].Host = "$http_host" },
		"origin with pass of quotes":         func(c *Config) { c.Origins[0].Passes = []string{`/a"`} },
		"origin with pass of expression":     func(c *Config) { c.Origins[0].Passes = []string{"/(a"} },
		"route of unknown origin":            func(c *Config) { c.Routes[0].Origin = "b" },
		"route that passes to nobody":        func(c *Config) { c.Routes[0] = Route{Pattern: "/", Regexp: "^/$", Pass: true} },
		"route with line end":                func(c *Config) { c.Routes[0].Pattern = "/a\n}" },
		"route with quote":                   func(c *Config) { c.Routes[0].Regexp = `^/"$` },
		"route with backslash":               func(c *Config) { c.Routes[0].Regexp = `^/\n$` },
		"route with brace":                   func(c *Config) { c.Routes[0].Regexp = `^/a{2}$` },
		"route with line end in expression":  func(c *Config) { c.Routes[0].Regexp = "^/a\n$" },
		"route without expression":           func(c *Config) { c.Routes[0].Regexp = "" },
		"route of half a path":               func(c *Config) { c.Routes[0].Regexp = "^/a" },
		"route with half an expression":      func(c *Config) { c.Routes[0].Regexp = "^/(a$" },
		"ignored query with expression":      func(c *Config) { c.IgnoreQuery = []string{"a|b"} },
		"ignored query of everything":        func(c *Config) { c.IgnoreQuery = []string{"*"} },
		"ignored query with star in between": func(c *Config) { c.IgnoreQuery = []string{"a*b"} },
		"bypass cookie with quote":           func(c *Config) { c.BypassCookies = []string{`a"`} },
		"bypass cookie empty":                func(c *Config) { c.BypassCookies = []string{""} },
	} {
		t.Run(name, func(t *testing.T) {
			c := valid()
			c.Site = "https://www.example.com"
			c.Origins = []Origin{{Name: "app", Kind: "plain", URLs: []string{"http://127.0.0.1:3000"}}}
			c.Routes = []Route{{Pattern: "/{rest...}", Regexp: "^/.+$", Origin: "app"}}
			if _, err := Server(c); err != nil {
				t.Fatal(err)
			}
			change(&c)
			if text, err := Server(c); err == nil {
				t.Errorf("no error, but\n%s", text)
			} else if field, _, _ := strings.Cut(name, " "); !strings.HasPrefix(err.Error(), field) {
				t.Errorf("error %q does not name the %s", err, field)
			}
		})
	}
}

func TestOrigin_own(t *testing.T) {
	for name, c := range map[string]struct {
		origin Origin
		before string
		want   []string
	}{
		"nothing":                  {Origin{Kind: "plain"}, "", nil},
		"prefixes":                 {Origin{Kind: "plain", Passes: []string{"/a.b", "/c/d", "/a.b"}}, "", []string{"^/(?:a[.]b|c/d)(?:/|$)"}},
		"less what is covered":     {Origin{Kind: "next", Passes: []string{"/_next/data", "/api"}}, "", []string{"^/(?:_next|api)(?:/|$)"}},
		"with copies":              {Origin{Kind: "next", Copied: true, Passes: []string{"/_next/data"}}, "", []string{"^/(?:_next/data)(?:/|$)"}},
		"programs":                 {Origin{Kind: "wordpress", Passes: []string{"/wp-login.php"}}, "", []string{"[.]php(?:/|$)"}},
		"of one origin of several": {Origin{Kind: "nuxt"}, "@origin_a", []string{"^@origin_a/(?:_nuxt)(?:/|$)", "^@origin_a(?=/).*/_payload[.]json$"}},
	} {
		if got := c.origin.own(c.before); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestServer_Addresses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"port 80 by default":      {func(*Config) {}, "listen 80;"},
		"its own address":         {func(c *Config) { c.ServerListen = "192.0.2.1:8080" }, "listen 192.0.2.1:8080;"},
		"an empty host":           {func(c *Config) { c.ServerListen = ":8080" }, "listen 8080;"},
		"several names":           {func(c *Config) { c.ServerName = "example.com  *.example.com" }, "server_name example.com *.example.com;"},
		"rebake on all addresses": {func(c *Config) { c.Listen = ":8600" }, "proxy_pass http://127.0.0.1:8600;"},
		"rebake on 0.0.0.0":       {func(c *Config) { c.Listen = "0.0.0.0:8600" }, "proxy_pass http://127.0.0.1:8600;"},
		"rebake on [::]":          {func(c *Config) { c.Listen = "[::]:8600" }, "proxy_pass http://[::1]:8600;"},
		"rebake by name":          {func(c *Config) { c.Listen = "localhost:8600" }, "proxy_pass http://localhost:8600;"},
		"a path to be quoted":     {func(c *Config) { c.Output = `/srv/my "site"; { # \` }, `root "/srv/my \"site\"; { # \\";`},
	} {
		t.Run(name, func(t *testing.T) {
			config := valid()
			c.change(&config)
			text, err := Server(config)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(text, c.want) {
				t.Errorf("no %q in\n%s", c.want, text)
			}
		})
	}
}

func TestInclude_IsWhatServerHolds(t *testing.T) {
	include, err := Include(valid())
	if err != nil {
		t.Fatal(err)
	}
	server, err := Server(valid())
	if err != nil {
		t.Fatal(err)
	}
	_, site, _ := strings.Cut(include, "\n\n")
	if !strings.Contains(server, indent(site)) {
		t.Error("the server block does not hold the lines of the include")
	}
	if strings.Contains(include, "server_name _") || !strings.Contains(include, "include /etc/nginx/rebake.conf;") {
		t.Error("the include does not say how to include it")
	}
}

func TestInclude_namesItsOwnFile(t *testing.T) {
	c := valid()
	c.File = "/srv/my site/rebake-nginx.conf"
	if got, err := Include(c); err != nil || !strings.Contains(got, `include "/srv/my site/rebake-nginx.conf";`) {
		t.Errorf("%v\n%s", err, got)
	}
	c.File = "/srv/a\nroot /;"
	if _, err := Include(c); err == nil || !strings.HasPrefix(err.Error(), `file "/srv/a\nroot /;": holds a control character`) {
		t.Errorf("error %v", err)
	}
}
