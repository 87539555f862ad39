package nginx

import (
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
