package main

import (
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io/fs"

	"rebake/daemon/demo"
	"rebake/storage"
)

// addresses are the host and port of each part of the site.
type addresses struct{ site, cms, listen, admin, redis string }

func (a *addresses) flags(f *flag.FlagSet) {
	f.StringVar(&a.site, "site", "127.0.0.1:8080", "")
	f.StringVar(&a.cms, "cms", "127.0.0.1:8081", "")
	f.StringVar(&a.listen, "listen", "127.0.0.1:8600", "")
	f.StringVar(&a.admin, "admin", "127.0.0.1:8601", "")
	f.StringVar(&a.redis, "redis", "127.0.0.1:6380", "")
}

// write puts rebake.yaml, with a secret of its own, and the templates into dir.
func write(dir string, a addresses) error {
	err := demo.Write(dir, demo.Params{
		Site: "http://" + a.site, CMS: "http://" + a.cms, Secret: storage.Secret(rand.Text()),
		Listen: a.listen, Admin: a.admin, Redis: "redis://" + a.redis,
	})
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w; move it away, or write a rebake.yaml of your own: rebake.example.yaml shows every key", err)
	}
	return err
}
