package cli

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// Args checks that a command is given between least and most arguments; most
// may be -1 for any number. what is how usage errors call them.
func Args(least, most int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return usageError{"missing argument: " + what}
		case most >= 0 && len(args) > most:
			return usageError{fmt.Sprintf("unexpected argument %q", args[most])}
		}
		return nil
	}
}

// Usage is the error of a command that was not used as its help says.
func Usage(format string, a ...any) error { return usageError{fmt.Sprintf(format, a...)} }

// During runs f and tells, once that takes more than a second, what it does.
func During(cmd *cobra.Command, what string, f func() error) error {
	return progressOf(cmd).during(what, f)
}

// Print writes the output of a command that does not ask the cloud, in the form
// that was asked for: object for programs, or else what people prints.
func Print(cmd *cobra.Command, object any, people func(io.Writer)) error {
	form := cmd.Root().PersistentFlags().Lookup("output").Value.String()
	if err := checkOutput(form); err != nil {
		return err
	}
	w := cmd.OutOrStdout()
	if form != outputJSON {
		people(w)
		return nil
	}
	b, err := json.MarshalIndent(object, "", "  ")
	if err == nil {
		_, err = fmt.Fprintf(w, "%s\n", b)
	}
	return err
}

// CheckOutput refuses a form of output that there is not, for commands that do
// something before they print.
func CheckOutput(cmd *cobra.Command) error {
	return checkOutput(cmd.Root().PersistentFlags().Lookup("output").Value.String())
}

// usageOfAll has every command tell wrong arguments as wrong usage: those that
// cobra makes itself do not.
func usageOfAll(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			err := check(cmd, args)
			if _, ours := err.(usageError); err == nil || ours {
				return err
			}
			return usageError{err.Error()}
		}
	}
	for _, c := range cmd.Commands() {
		usageOfAll(c)
	}
}
