package daemon

import (
	"fmt"
	"io"
	"os"
	"os/user"
	"time"

	"github.com/fatih/color"
	"github.com/spf13/cobra"

	"rebake/daemon/config"
	"rebake/storage/ledger"
)

// asking is a command that talks to a running rebake.
type asking struct {
	*client
	cfg    *config.Config
	screen screen
	json   bool
}

// ask makes the body of such a command. run's errors are those of a command
// that was tried.
func ask(flags *globalFlags, run func(*cobra.Command, []string, asking) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		cfg, err := flags.load(io.Discard) // serve has told its warnings
		if err != nil {
			return err
		}
		c, err := newClient(cfg)
		if err != nil {
			return failed(err)
		}
		asJSON, _ := cmd.Flags().GetBool("json")
		err = run(cmd, args, asking{c, cfg, newScreen(cmd.OutOrStdout()), asJSON})
		if _, ok := err.(*exitError); ok {
			return err
		}
		return failed(err)
	}
}

// onePage is for commands about one page.
func onePage(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("name one page by its path, such as: %s /blog/hello", cmd.CommandPath())
	}
	return nil
}

// person is who runs the command, for those who will wonder.
func person() string {
	if name := os.Getenv("SUDO_USER"); name != "" {
		return name
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

// tell prints a line that begins with a mark.
func (a asking) tell(ok bool, format string, args ...any) {
	mark := color.GreenString("✓")
	if !ok {
		mark = color.RedString("✗")
	}
	text := fmt.Sprintf(format, args...)
	if a.screen.width > 0 {
		lines := fold(text, a.screen.width-2)
		text = lines[0]
		for _, l := range lines[1:] {
			text += "\n  " + l
		}
	}
	fmt.Fprintf(a.screen, "%s %s\n", mark, text)
}

// holdText says for how long there has been a hold, by whom and why.
func holdText(h *ledger.Hold, now time.Time) string {
	lasted := max(0, now.Sub(h.At))
	return "for " + lasted.Round(time.Second).String() + byWhom(h.By, h.Why)
}

// keptText says since when a page is kept removed, by whom and why.
func keptText(k *ledger.Kept, now time.Time) string { return ago(k.At, now) + byWhom(k.By, k.Why) }

func byWhom(who, why string) (text string) {
	if who != "" {
		text = " by " + who
	}
	if why != "" {
		text += ": " + why
	}
	return text
}

// colorOf paints a page's one word.
func colorOf(f ledger.Freshness) *color.Color {
	switch f {
	case ledger.PageFresh:
		return color.New(color.FgGreen)
	case ledger.PageStale, ledger.PageRetrying:
		return color.New(color.FgYellow)
	case ledger.PageFailed:
		return color.New(color.FgRed)
	}
	return color.New(color.Faint)
}
