package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// DefaultDataDir is where the server keeps its state, and in it the
// credentials of the cloud's administrator.
const DefaultDataDir = "/var/lib/lazuli"

// The environment that the commands read.
const (
	envDataDir     = "LAZULI_DATA_DIR"
	envCredentials = "LAZULI_CREDENTIALS"
	envGroup       = "LAZULI_GROUP"
)

// Config is what the root command needs.
type Config struct {
	Version string
}

const rootLong = `lazuli runs durable virtual machines on your own servers, and speaks Azure's API.

The commands below are clients of that API. They find the cloud by the
credentials that its server has written (--credentials, --data-dir).

Exit codes:
  0  done
  1  an error that is none of the others
  2  the command was not used as its help says
  3  there is no such thing
  4  a conflict: the thing exists already, is in use or is changing
  5  the cloud does not answer, or does not accept the credentials
  130  interrupted; what was begun goes on in the cloud
lazuli vm ssh exits as ssh does.`

// New makes the root command with the client's commands. The caller adds those
// of the server, and runs it with Run.
func New(c Config) *cobra.Command {
	a := &app{}
	root := parent("lazuli", "Durable virtual machines on your own servers", rootLong)
	root.Version = c.Version
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err.Error()} })
	a.addFlags(root)
	root.AddCommand(vmCommand(a), diskCommand(a), imageCommand(a), groupCommand(a), sizeCommand(a), ipCommand(a), openPortCommand(a))
	root.AddCommand(userCommand(a), spCommand(a), subscriptionCommand(a), azSetupCommand(a))
	return root
}

// Run runs the command line in os.Args, says on stderr what went wrong, and
// returns the exit code.
func Run(ctx context.Context, root *cobra.Command) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	usageOfAll(root)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	return report(ctx, root.ErrOrStderr(), cmd.CommandPath(), err)
}

// parent makes a command that only has others in it.
func parent(use, short, long string) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Long: long,
		Args:                       cobra.ArbitraryArgs,
		SuggestionsMinimumDistance: 2,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			text := fmt.Sprintf("unknown command %q", args[0])
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				text += fmt.Sprintf(": did you mean %s?", strings.Join(near, " or "))
			}
			return usageError{text}
		},
	}
}

// example indents the lines of an example as help shows them.
func example(lines ...string) string { return "  " + strings.Join(lines, "\n  ") }

func note(w io.Writer, format string, a ...any) { fmt.Fprintf(w, format+"\n", a...) }
