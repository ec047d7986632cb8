package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"lazuli/internal/daemon"
)

func doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Say whether this host can run machines, and what to do if not",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			bad := 0
			for _, f := range daemon.Doctor(cmd.Context(), dataDir(cmd)) {
				mark := "ok   "
				switch f.Level {
				case daemon.Warn:
					mark = "warn "
				case daemon.Bad:
					mark = "BAD  "
					bad++
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s %-14s %s\n", mark, f.About, f.Finding)
				if f.Advice != "" {
					fmt.Fprintf(cmd.OutOrStdout(), "      %-14s → %s\n", "", f.Advice)
				}
			}
			if pid, endpoint, err := running(dataDir(cmd)); err == nil && pid != 0 {
				fmt.Fprintf(cmd.OutOrStdout(), "ok    %-14s up at %s (process %d)\n", "lazuli", endpoint, pid)
			} else {
				fmt.Fprintf(cmd.OutOrStdout(), "warn  %-14s not up\n      %-14s → lazuli up\n", "lazuli", "")
			}
			if bad > 0 {
				return fmt.Errorf("%d of the findings keep this host from running machines", bad)
			}
			return nil
		},
	}
}
