package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"rebake/storage"
)

// Find returns the file to load: the flag's value when there is one, else
// ./rebake.yaml, else /etc/rebake/rebake.yaml.
func Find(flag string) (string, error) {
	return find(flag, "rebake.yaml", "/etc/rebake/rebake.yaml")
}

func find(flag string, candidates ...string) (string, error) {
	if flag != "" {
		return flag, nil
	}
	for _, path := range candidates {
		// Any other error is for Load to tell: the file is there.
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			return path, nil
		}
	}
	return "", fmt.Errorf("no config: looked for %s; `rebake init URL` writes one (rebake.example.yaml shows every key), or name one with --config",
		strings.Join(candidates, " and "))
}

// Load reads and checks a config file. Values may hold ${NAME}, which getenv
// looks up; os.LookupEnv fits. What is wrong with the file comes as an *Error,
// all at once; a file that cannot be read as any other error.
func Load(path string, getenv func(string) (string, bool)) (*Config, error) {
	data, err := readAtMost(path, maxDocument)
	if err != nil {
		return nil, fmt.Errorf("read config: %w", err)
	}
	folder, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("read config: %w", err)
	}
	c, d := decode(data, getenv)
	c.place.file = path
	for i := range d.problems {
		d.problems[i].File = path
	}
	if d.broken {
		return nil, asError(d.problems)
	}

	c.resolve(folder)
	problems := d.problems
	if c.Secret == nil && c.SecretFile != "" {
		if c.Secret, err = readSecret(c.SecretFile); err != nil {
			problems = append(problems, c.problem("secret_file", err.Error()))
			d.explained["secret"] = true
		}
	} else if c.Secret != nil && c.SecretFile != "" {
		problems = append(problems, c.problem("secret_file", "secret is set too; keep one of them"))
	}
	for _, p := range c.resolveWebhooks(folder) {
		problems = append(problems, p)
		d.explained[p.Key] = true // that there is no secret then, see webhookKey
	}
	for _, p := range c.check() {
		if !d.isExplained(p.Key) {
			problems = append(problems, p)
		}
	}
	if err := asError(problems); err != nil {
		return nil, err
	}
	return c, nil
}

// decode makes a Config of a document, as far as it can be understood.
func decode(data []byte, getenv func(string) (string, bool)) (*Config, *decoder) {
	d := &decoder{getenv: getenv, lines: make(map[string]int), explained: make(map[string]bool)}
	c := Default()
	c.place.lines = d.lines
	root, problem := parse(data)
	if problem != nil {
		d.problems = append(d.problems, *problem)
		d.broken = true
		return c, d
	}
	if root != nil {
		d.value(root, "", reflect.ValueOf(c).Elem())
		d.broken = d.broken || d.explained[""]
	}
	return c, d
}

// resolve brings a decoded config into its final form.
func (c *Config) resolve(folder string) {
	for _, path := range []*string{&c.Output, &c.State, &c.Templates, &c.SecretFile} {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(folder, *path)
		}
	}
	c.Site = strings.TrimSuffix(c.Site, "/")
	for _, always := range []string{"/api/revalidate", "/_rebake"} {
		if !covered(always, c.Reserved) {
			c.Reserved = append(c.Reserved, always)
		}
	}
}

// covered reports whether a path lies at or below one of the prefixes.
func covered(path string, prefixes []string) bool {
	for _, p := range prefixes {
		if rest, ok := strings.CutPrefix(path, strings.TrimSuffix(p, "/")); ok && (rest == "" || rest[0] == '/') {
			return true
		}
	}
	return false
}

// readSecret reads the one secret of a file, less the newline that editors
// put at the end. Its errors never hold the content.
func readSecret(path string) (Secrets, error) {
	const most = 4096
	data, err := readAtMost(path, most)
	if err != nil {
		return nil, err
	}
	if len(data) > most {
		return nil, fmt.Errorf("%s is larger than %d bytes", path, most)
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if text == "" {
		return nil, fmt.Errorf("%s is empty", path)
	}
	return Secrets{storage.Secret(text)}, nil
}

// readAtMost reads a file, but no more than one byte beyond the limit.
func readAtMost(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit+1))
}
