package nginx

import (
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// checked returns the config with its addresses in the form that nginx reads,
// or says which value cannot stand in nginx's configuration.
func (c Config) checked() (Config, error) {
	for _, name := range strings.Fields(c.ServerName) {
		if !isHost(name) {
			return c, fmt.Errorf("server name %q: not a host name", name)
		}
	}
	c.ServerName = strings.Join(strings.Fields(c.ServerName), " ")
	if err := checkPath(c.Output); err != nil {
		return c, fmt.Errorf("output %q: %w", c.Output, err)
	}
	if c.File != "" {
		if err := checkPath(c.File); err != nil {
			return c, fmt.Errorf("file %q: %w", c.File, err)
		}
	}
	host, port, err := splitAddr(c.Listen)
	if err != nil {
		return c, fmt.Errorf("listen %q: %w", c.Listen, err)
	}
	c.Listen = net.JoinHostPort(reachable(host), port)
	for _, f := range c.Feeds {
		if err := f.check(); err != nil {
			return c, err
		}
	}
	if c, err = c.checkedOrigins(); err != nil {
		return c, err
	}
	if c.ServerListen == "" || isPort(c.ServerListen) {
		return c, nil
	}
	if host, port, err = splitAddr(c.ServerListen); err != nil {
		return c, fmt.Errorf("server listen %q: %w", c.ServerListen, err)
	}
	if host == "" {
		c.ServerListen = port
	}
	return c, nil
}

// checkPath refuses what cannot be quoted. nginx has no way to write a plain $
// where variables are known.
func checkPath(p string) error {
	switch {
	case !filepath.IsAbs(p):
		return fmt.Errorf("must be an absolute path")
	case strings.Contains(p, "$"):
		return fmt.Errorf("holds a $, which nginx takes for a variable; use another directory, or a link to it")
	case !utf8.ValidString(p) || strings.ContainsFunc(p, unicode.IsControl):
		return fmt.Errorf("holds a control character")
	}
	return nil
}

func splitAddr(addr string) (host, port string, err error) {
	host, port, err = net.SplitHostPort(addr)
	if err != nil {
		return "", "", fmt.Errorf("must be host:port, such as 127.0.0.1:8600")
	}
	if !isPort(port) {
		return "", "", fmt.Errorf("%q is no port", port)
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" && !isHost(host) {
		return "", "", fmt.Errorf("%q is no host", host)
	}
	return host, port, nil
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

// hostName also takes what nginx takes besides: *.example.com, and _ for a
// name that no host has.
var hostName = regexp.MustCompile(`^[A-Za-z0-9_*]([A-Za-z0-9_.*-]*[A-Za-z0-9_*])?$`)

func isHost(s string) bool {
	if inner, ok := strings.CutPrefix(s, "["); ok {
		addr, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		return err == nil && addr.Is6() && addr.Zone() == ""
	}
	return hostName.MatchString(s)
}

// reachable turns an address that only a listener can have into the loopback.
func reachable(host string) string {
	addr, err := netip.ParseAddr(host)
	switch {
	case host == "":
		return "127.0.0.1"
	case err == nil && addr.IsUnspecified() && addr.Is6():
		return "::1"
	case err == nil && addr.IsUnspecified():
		return "127.0.0.1"
	}
	return host
}
