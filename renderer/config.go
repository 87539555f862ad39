package renderer

// RouteConfig is one entry of `routes` in rebake.yaml. The first route whose
// path matches a page renders it.
type RouteConfig struct {
	// Path is a pattern: literal segments, {name} for one segment, and
	// {name...} at the end for one or more.
	Path string `yaml:"path"`
	// Template is a file below the templates folder.
	Template string `yaml:"template,omitempty"`
	// Data is fetched before the template runs, each entry under its name.
	Data map[string]FetchConfig `yaml:"data,omitempty"`
	// Tags are strings with {…} expressions over the parameters and the data;
	// one whose expression gives null is dropped.
	Tags []string `yaml:"tags,omitempty"`
	// Version is a string with {…} expressions: the version of the content.
	Version string `yaml:"version,omitempty"`
	// Gates are the checks that a render must pass before it is published.
	Gates GatesConfig `yaml:"gates,omitempty"`
}

// FetchConfig says what to read from a source.
type FetchConfig struct {
	// Source is a name under `sources`.
	Source string `yaml:"source"`
	// Get is appended to the source's URL; {…} expressions over the route's
	// parameters are escaped for a URL.
	Get string `yaml:"get"`
	// One takes the only item of the answer, or the answer itself when it is
	// an object; an empty answer means that the page is gone.
	One bool `yaml:"one,omitempty"`
}

// GatesConfig sets a route's gates; a zero field takes the default.
type GatesConfig struct {
	// MaxBytes is the largest page; default 10 MiB.
	MaxBytes int64 `yaml:"max_bytes,omitempty"`
	// Complete asks for </html> at the end of an HTML page; default true.
	Complete *bool `yaml:"complete,omitempty"`
}
