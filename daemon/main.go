package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"rebake/daemon/config"
)

// Exit codes, for scripts.
const (
	exitOK     = 0
	exitFailed = 1  // it was tried, and did not work
	exitUsage  = 2  // the command line cannot be understood
	exitConfig = 78 // the config cannot be used (EX_CONFIG of sysexits.h)
)

// Hangups takes SIGHUP into the program's own hands, and returns those that
// come from then on. A program that has not called it ends with its terminal.
type Hangups func() <-chan os.Signal

// Main runs one command to its end and returns the exit code.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer, hangups Hangups) int {
	redis.SetLogger(quietRedis{})
	root := newRoot(hangups)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	var code exitCode
	if !errors.As(err, &code) {
		code = exitUsage // what cobra itself refuses
	}
	if !errors.Is(err, errAlreadyTold) {
		fmt.Fprintln(stderr, "rebake:", err)
	}
	return int(code)
}

// errAlreadyTold ends a command that has printed what went wrong.
var errAlreadyTold = errors.New("already told")

// exitCode is an error's exit code.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// exitError is an error with an exit code.
type exitError struct {
	code exitCode
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }
func (e *exitError) As(to any) bool {
	code, ok := to.(*exitCode)
	if ok {
		*code = e.code
	}
	return ok
}

func newRoot(hangups Hangups) *cobra.Command {
	root := &cobra.Command{
		Use:   "rebake",
		Short: "Keeps a directory of static pages fresh",
		Long: `Rebake keeps a directory of static pages fresh. Something changes in the CMS, a
trigger arrives, only the pages it touches are rendered again and swapped
atomically, and nginx goes on serving files.`,
		Example: `  rebake demo                see it work, with nothing to set up
  rebake init https://…      look at a site, and write what it needs
  rebake check               look at rebake.yaml, the sources and the output
  rebake serve               run
  rebake dev                 run, and follow every save of a template
  rebake now /blog/hello     render a page again, and wait for it
  rebake explain /blog/hello why the page is what it is
  rebake status --watch      what is going on`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	var flags globalFlags
	root.PersistentFlags().StringVarP(&flags.config, "config", "c", "", "config file (default ./rebake.yaml, then /etc/rebake/rebake.yaml)")
	root.AddCommand(
		newServeCommand(&flags, hangups), newDevCommand(&flags), newBuildCommand(&flags), newNowCommand(&flags), newExplainCommand(&flags),
		newStatusCommand(&flags), newPagesCommand(&flags), newHoldCommand(&flags), newResumeCommand(&flags), newRemoveCommand(&flags), newGCCommand(&flags), newReconcileCommand(&flags), newCheckCommand(&flags),
		newWebhookCommand(&flags), newNginxCommand(&flags), newInitCommand(&flags), newDemoCommand(), newVersionCommand(),
	)
	return root
}

// globalFlags are those of every command.
type globalFlags struct{ config string }

// load reads the config. What is wrong with it is the operator's to mend, so
// it has an exit code of its own, which systemd does not restart on.
func (f *globalFlags) load(warnings io.Writer) (*config.Config, error) {
	name, err := config.Find(f.config)
	if err != nil {
		return nil, &exitError{exitConfig, err}
	}
	cfg, err := config.Load(name, os.LookupEnv)
	if err != nil {
		return nil, &exitError{exitConfig, err}
	}
	for _, w := range cfg.Warnings() {
		fmt.Fprintln(warnings, "warning:", w)
	}
	return cfg, nil
}

// failed makes an error of a command that was tried.
func failed(err error) error {
	if err == nil {
		return nil
	}
	var invalid *config.Error
	if errors.As(err, &invalid) {
		return &exitError{exitConfig, err}
	}
	return &exitError{exitFailed, err}
}

// quietRedis takes the client library's own lines off the terminal: what they
// tell, the errors tell too, where somebody can do something about it.
type quietRedis struct{}

func (quietRedis) Printf(context.Context, string, ...any) {}

// newLog returns the log that the config asks for.
func newLog(w io.Writer, c config.Log) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.Level)) // checked with the config
	opts := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}
