package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"lazuli/internal/api"
	"lazuli/internal/cli"
	"lazuli/internal/daemon"
	"lazuli/internal/identity/federation"
)

// serverFlags are what a control plane can be told.
type serverFlags struct {
	daemon.ServerConfig
	pool    []string
	verbose bool
}

func (f *serverFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&f.Listen, "listen", "127.0.0.1:8443", "address of the API")
	fs.StringVar(&f.NodeListen, "node-listen", "127.0.0.1:8444", "address for nodes")
	fs.StringSliceVar(&f.Names, "name", nil, "further host name or address that the API is reached by")
	fs.StringVar(&f.Location, "location", "", "name of the cloud's location, else local; it stays what it was at the first start")
	fs.StringSliceVar(&f.pool, "public-pool", []string{"198.18.0.0/24"}, "prefix that public addresses are taken from")
	fs.StringVar(&f.Domain, "domain", daemon.DefaultDomain, "what names in the cloud end in")
	fs.DurationVar(&f.ProvisionTimeout, "provision-timeout", 0, "how long a guest may take until it reports that it is ready (default 20m)")
	fs.StringSliceVar(&f.Issuers, "oidc-issuer", nil, "`URL` of an OpenID Connect issuer whose tokens federated credentials of service principals may accept")
	fs.StringSliceVar(&f.TemplateSources, "template-source", nil, "`URL` below which templates may be linked from: https://host/path/")
	fs.DurationVar(&f.ActivityTime, "activity-time", 0, "how long the activity log is kept (default 2160h, which is 90 days)")
	fs.Int64Var(&f.ActivityBytes, "activity-bytes", 0, "how much of the activity log is kept, the newest (default 64 MiB)")
	for _, l := range []struct {
		what string
		rate *api.Rate
	}{{"reads", &f.Limits.Reads}, {"writes", &f.Limits.Writes}, {"deletes", &f.Limits.Deletes}} {
		fs.Float64Var(&l.rate.PerSecond, "max-"+l.what, 0, "how many "+l.what+" a second one principal may ask of a subscription, and twenty times as many at once")
	}
	fs.BoolVarP(&f.verbose, "verbose", "v", false, "log more")
	fs.BoolVar(&f.Volatile, "volatile", false, "keep the state in memory only, to try the API out")
	fs.BoolVar(&f.UnsafeNoFsync, "unsafe-no-fsync", false, "acknowledge writes that a power cut may lose")
	hide(fs, "unsafe-no-fsync")
}

func (f *serverFlags) config(cmd *cobra.Command) (daemon.ServerConfig, error) {
	f.DataDir = dataDir(cmd)
	f.Log = newLog(f.verbose)
	for _, a := range []struct{ flag, value string }{{"listen", f.Listen}, {"node-listen", f.NodeListen}} {
		if err := checkAddress(a.flag, a.value); err != nil {
			return f.ServerConfig, err
		}
	}
	if _, err := federation.New(federation.Config{URLs: f.Issuers}); err != nil {
		return f.ServerConfig, cli.Usage("--oidc-issuer: %v", err)
	}
	if err := f.checkBounds(); err != nil {
		return f.ServerConfig, err
	}
	f.PublicPool = nil
	for _, s := range f.pool {
		p, err := netip.ParsePrefix(s)
		if err != nil || !p.Addr().Is4() || p != p.Masked() {
			return f.ServerConfig, cli.Usage("--public-pool %q is not an IPv4 prefix like 198.18.0.0/24", s)
		}
		f.PublicPool = append(f.PublicPool, p)
	}
	return f.ServerConfig, nil
}

// checkBounds refuses what is no bound, and says how many requests there may be
// at once.
func (f *serverFlags) checkBounds() error {
	if f.ActivityTime < 0 || f.ActivityBytes < 0 {
		return cli.Usage("--activity-time and --activity-bytes are not less than nothing")
	}
	for _, r := range []*api.Rate{&f.Limits.Reads, &f.Limits.Writes, &f.Limits.Deletes} {
		if r.PerSecond < 0 || r.PerSecond > 1e6 {
			return cli.Usage("--max-reads, --max-writes and --max-deletes are from 0, for the default, to a million")
		}
		r.Burst = int(math.Ceil(20 * r.PerSecond))
	}
	return nil
}

// checkAddress refuses what is not a host and a port.
func checkAddress(flag, value string) error {
	_, port, err := net.SplitHostPort(value)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return cli.Usage("--%s %q is not an address like 127.0.0.1:8443", flag, value)
	}
	return nil
}

// nodeFlags are what a node can be told.
type nodeFlags struct {
	daemon.NodeConfig
	driver string
}

func (f *nodeFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&f.Instance, "instance", "", "name that tells several clouds on one host apart")
	fs.StringVar(&f.Accelerator, "accelerator", "", "kvm or tcg, else what works on this host")
	fs.DurationVar(&f.ShutdownGrace, "shutdown-grace", 0, "how long a guest may take to power off when asked to (default 90s)")
	fs.StringVar(&f.driver, "driver", "qemu", "qemu, or fake to run no machines but behave as if")
	fs.BoolVar(&f.CacheUnsafe, "unsafe-cache", false, "have QEMU ignore flushes")
	hide(fs, "unsafe-cache")
}

// complete offers the words that flags can have.
func (f *nodeFlags) complete(cmd *cobra.Command) {
	for flag, words := range map[string][]string{"driver": {"qemu", "fake"}, "accelerator": {"kvm", "tcg"}} {
		if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)); err != nil {
			panic(err) // the flag was just defined
		}
	}
}

func (f *nodeFlags) config(cmd *cobra.Command) (daemon.NodeConfig, error) {
	f.DataDir, f.Version = dataDir(cmd), version
	switch f.driver {
	case "qemu":
	case "fake":
		f.Fake = true
	default:
		return f.NodeConfig, cli.Usage("--driver %q is neither qemu nor fake", f.driver)
	}
	switch f.Accelerator {
	case "", "kvm", "tcg":
	default:
		return f.NodeConfig, cli.Usage("--accelerator %q is neither kvm nor tcg", f.Accelerator)
	}
	return f.NodeConfig, nil
}

func hide(fs *pflag.FlagSet, name string) {
	if err := fs.MarkHidden(name); err != nil {
		panic(err) // the flag was just defined
	}
}

// dataDir is the absolute path of --data-dir, which all commands have.
func dataDir(cmd *cobra.Command) string {
	dir, err := filepath.Abs(cmd.Flag("data-dir").Value.String())
	if err != nil {
		return cmd.Flag("data-dir").Value.String()
	}
	return dir
}

func serverCommand() *cobra.Command {
	f := &serverFlags{}
	cmd := &cobra.Command{
		Use: "server", Short: "Run a control plane in the foreground",
		Long: "Run the control plane alone: the API and the state. Nodes join it with\n'lazuli node'; 'lazuli server join' makes what they need.",
		Args: cli.Args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := f.config(cmd)
			if err != nil {
				return err
			}
			s, err := daemon.NewServer(cmd.Context(), c)
			if err != nil {
				return err
			}
			return errors.Join(s.Run(cmd.Context()), s.Close())
		},
	}
	f.add(cmd.Flags())
	cmd.AddCommand(joinCommand())
	return cmd
}

// joinCommand makes the file with which a node joins.
func joinCommand() *cobra.Command {
	var server, out string
	cmd := &cobra.Command{
		Use: "join NODE", Short: "Make the file with which a node joins this cloud",
		Long:    "Make the file with which a node joins this cloud. It holds a key: keep it as\nsecret as the credentials. Run it on the machine of the control plane.",
		Example: "  lazuli server join node1 --server 192.0.2.10:8444 --out node1.json",
		Args:    cli.Args(1, 1, "NODE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkAddress("server", server); err != nil {
				return err
			}
			j, err := daemon.IssueFrom(dataDir(cmd), args[0], server)
			if err != nil {
				return err
			}
			b, err := json.MarshalIndent(j, "", "  ")
			if err != nil {
				return err
			}
			if err := writeSecret(out, append(b, '\n')); err != nil {
				return fmt.Errorf("write join file: %w", err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Take %s to %s, and run there: lazuli node --join %s\n", out, args[0], filepath.Base(out))
			return nil
		},
	}
	cmd.Flags().StringVar(&server, "server", "127.0.0.1:8444", "address at which the node reaches the control plane")
	cmd.Flags().StringVar(&out, "out", "join.json", "file to write")
	return cmd
}

// writeSecret writes a file that only its owner reads, whatever is there.
func writeSecret(path string, b []byte) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.WriteFile(path, b, 0o600)
}

func nodeCommand() *cobra.Command {
	f := &nodeFlags{}
	var join string
	var verbose bool
	cmd := &cobra.Command{
		Use: "node", Short: "Run a node's agent in the foreground",
		Long: "Run the agent of a host, which runs the machines that the control plane places\non it. Machines outlive it.",
		Args: cli.Args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := f.config(cmd)
			if err != nil {
				return err
			}
			c.Log = newLog(verbose)
			b, err := os.ReadFile(join)
			if err != nil {
				return fmt.Errorf("read join file: %w. Make one with 'lazuli server join' and name it with --join", err)
			}
			if err := json.Unmarshal(b, &c.Join); err != nil {
				return fmt.Errorf("read join file %s: %w", join, err)
			}
			n, err := daemon.NewNode(cmd.Context(), c)
			if err != nil {
				return err
			}
			return errors.Join(n.Run(cmd.Context()), n.Close())
		},
	}
	f.add(cmd.Flags())
	f.complete(cmd)
	cmd.Flags().StringVar(&join, "join", "join.json", "file made by 'lazuli server join'")
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "log more")
	return cmd
}

// waitTime is how long a start or an end of the daemon may take.
const waitTime = 2 * time.Minute

func withTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, waitTime)
}
