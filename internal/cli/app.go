package cli

import (
	"cmp"
	"context"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// defaultGroup is the resource group of what is made without --group.
const defaultGroup = "default"

const flagDataDir = "data-dir"

// DataDir is the data directory that a command of New's root is about.
func DataDir(cmd *cobra.Command) string {
	return cmd.Root().PersistentFlags().Lookup(flagDataDir).Value.String()
}

// app is what the commands share: the global flags.
type app struct {
	dataDir, credentials, group, output string

	dataDirFlag *pflag.Flag
}

func (a *app) addFlags(root *cobra.Command) {
	f := root.PersistentFlags()
	f.StringVar(&a.dataDir, flagDataDir, cmp.Or(os.Getenv(envDataDir), DefaultDataDir), "`directory` of the server's state ($"+envDataDir+")")
	a.dataDirFlag = f.Lookup(flagDataDir)
	f.StringVar(&a.credentials, "credentials", "", "`file` with the credentials of the cloud ($"+envCredentials+", else admin.json in the data directory)")
	f.StringVarP(&a.group, "group", "g", "", "resource `group` ($"+envGroup+", else "+defaultGroup+"; without, lists are of all groups)")
	f.StringVarP(&a.output, "output", "o", outputTable, "form of the output: table, json or name")
	complete := func(values ...string) cobra.CompletionFunc {
		return cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)
	}
	register(root, "output", complete(outputTable, outputJSON, outputName))
	register(root, "group", a.completeGroups)
}

// register sets the completion of a flag, which exists.
func register(cmd *cobra.Command, flag string, f cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, f); err != nil {
		panic(err)
	}
}

// groupAsked is the group that was named; "" for all.
func (a *app) groupAsked() string { return cmp.Or(a.group, os.Getenv(envGroup)) }

// groupName is the group in which one thing is looked up or made.
func (a *app) groupName() string { return cmp.Or(a.groupAsked(), defaultGroup) }

// credentialsFile is the file that the flags name, before what the environment
// does.
func (a *app) credentialsFile() string {
	if file := os.Getenv(envCredentials); file != "" && a.credentials == "" && !a.dataDirFlag.Changed {
		return file
	}
	return cmp.Or(a.credentials, filepath.Join(a.dataDir, "admin.json"))
}

// open is the client of the cloud. It makes no request yet.
func (a *app) open() (*cloud, error) {
	if err := checkOutput(a.output); err != nil {
		return nil, err
	}
	c, err := readCredentials(a.credentialsFile())
	if err != nil {
		return nil, err
	}
	return newCloud(c)
}

// run makes a command's RunE of a function that needs the cloud.
func (a *app) run(f func(ctx context.Context, c *cloud, cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		c, err := a.open()
		if err != nil {
			return err
		}
		return c.explainTransport(f(cmd.Context(), c, cmd, args))
	}
}
