package cli

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// confirm asks whether to do what cannot be undone. Where nobody can answer,
// only --yes does.
func confirm(cmd *cobra.Command, yes bool, warning string) error {
	if yes {
		return nil
	}
	if !isTerminal(cmd.InOrStdin()) {
		return usageError{warning + " Add --yes to say that you mean it."}
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s Go on? [y/N] ", warning)
	line, err := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
	if err != nil && line == "" {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return nil
	}
	return &problem{code: exitError, text: "nothing was deleted"}
}

func yesFlag(cmd *cobra.Command, yes *bool) {
	cmd.Flags().BoolVarP(yes, "yes", "y", false, "do not ask")
}
