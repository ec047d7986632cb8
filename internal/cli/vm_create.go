package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/spf13/cobra"
)

const vmCreateLong = `Create a virtual machine, and wait until its guest reports that it is ready.

What it needs and what is not named is made with it: a security group that lets
SSH in, a public address, a network interface and the OS disk. They are deleted
with the machine. Data disks outlive it unless --delete-disks is given.

Without --ssh-key the key in ~/.ssh is used, and when there is none, one is
made; lazuli vm ssh finds it.`

func vmCreateCommand(a *app) *cobra.Command {
	o := &createOptions{}
	cmd := &cobra.Command{
		Use: "create NAME --image IMAGE", Short: "Create a virtual machine", Long: vmCreateLong,
		Example: example(
			"lazuli vm create web1 --image debian-12",
			"lazuli vm create db1 --image debian-12 --size Standard_B2s --data-disk 20G --tag tier=db",
			"lazuli vm create web2 --image debian-12 --open-port 80 --open-port 443 --custom-data cloud-init.yaml"),
		Args: Args(1, 1, "NAME"),
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, args []string) error {
			o.name, o.group = args[0], a.groupName()
			return a.createMachine(ctx, c, cmd, o)
		}),
	}
	o.addFlags(cmd)
	register(cmd, "image", a.completeImages)
	register(cmd, "size", a.completeSizes)
	register(cmd, "firmware", cobra.FixedCompletions([]string{"bios", "uefi"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (o *createOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.image, "image", "", "alias, publisher:offer:sku:version, or name or id of a managed image")
	f.StringVar(&o.size, "size", "Standard_B1s", "see lazuli size list")
	f.StringArrayVar(&o.sshKeys, "ssh-key", nil, "public key, or its `file`; may be repeated")
	f.StringVar(&o.admin, "admin-username", "azureuser", "the guest's user")
	f.StringVar(&o.passwordFile, "admin-password-file", "", "`file` with the user's password, - for stdin; lets the user log in with it")
	f.StringArrayVar(&o.dataDiskSizes, "data-disk", nil, "make a data disk of this `size`, like 4G; may be repeated")
	f.BoolVar(&o.deleteDisks, "delete-disks", false, "delete the data disks with the machine")
	f.StringVar(&o.customDataFile, "custom-data", "", "`file` for cloud-init, - for stdin")
	f.StringVar(&o.userDataFile, "user-data", "", "`file` that the guest can read from its metadata service, - for stdin")
	f.StringVar(&o.vnet, "vnet", "default-vnet", "virtual network; made when there is none")
	f.StringVar(&o.subnet, "subnet", "default", "subnet of the virtual network")
	f.BoolVar(&o.noPublicIP, "no-public-ip", false, "give the machine no public address")
	f.StringArrayVar(&o.ports, "open-port", nil, "let this `port` in, like 80, 8000-8010 or 53/udp; may be repeated")
	f.StringVar(&o.firmware, "firmware", "", "bios or uefi, where the image boots with both")
	f.BoolVar(&o.noWait, "no-wait", false, "do not wait until the machine is ready")
	tagFlag(cmd, &o.tags)
}

func (a *app) createMachine(ctx context.Context, c *cloud, cmd *cobra.Command, o *createOptions) error {
	s, err := o.read(cmd.InOrStdin(), c.keyring())
	if err != nil {
		return err
	}
	if s.madeKey != "" {
		note(cmd.ErrOrStderr(), "There is no key in ~/.ssh, so one was made: %s", s.madeKey)
	}
	began := time.Now()
	if err := c.create(ctx, progressOf(cmd), s, o.noWait); err != nil {
		return c.adviseCreate(ctx, s, fmt.Errorf("create %s: %w", o.name, err))
	}
	m, err := c.machine(ctx, s.group, s.name)
	if err != nil {
		return err
	}
	if err := a.printMachines(cmd, m, m); err != nil || a.output != outputTable || o.noWait {
		return err
	}
	note(cmd.ErrOrStderr(), "\nReady after %s. Log in with: lazuli vm ssh %s%s", time.Since(began).Round(10*time.Millisecond), s.name, groupFlag(s.group))
	return nil
}

// groupFlag is what to add to a command line for it to be about the group.
func groupFlag(group string) string {
	if group == defaultGroup {
		return ""
	}
	return " --group " + group
}

// create makes the machine of s with everything that it needs. When the cloud
// refuses it, what was made for it goes again.
func (c *cloud) create(ctx context.Context, p *progress, s *createSpec, noWait bool) error {
	vms := c.compute.NewVirtualMachinesClient()
	if _, err := vms.Get(ctx, s.group, s.name, nil); err == nil {
		return &problem{code: exitConflict, text: "it exists already", next: fmt.Sprintf("Look at it: lazuli vm show %s%s", s.name, groupFlag(s.group))}
	} else if !isNotFound(err) {
		return err
	}
	image, err := c.findImage(ctx, s.group, s.image, s.generation)
	if err != nil {
		return err
	}
	if err := c.ensureGroup(ctx, s.group); err != nil {
		return err
	}
	m := &maker{cloud: c, createSpec: s, imageRef: image}
	body, err := m.prepare(ctx)
	if err != nil {
		return m.undo(ctx, err)
	}
	poller, err := vms.BeginCreateOrUpdate(ctx, s.group, s.name, *body, &armcompute.VirtualMachinesClientBeginCreateOrUpdateOptions{IfNoneMatch: to.Ptr("*")})
	if err != nil {
		return m.undo(ctx, err)
	}
	if noWait {
		return nil
	}
	return p.during(fmt.Sprintf("creating %s: waiting for its guest to be ready", s.name), func() error {
		_, err := wait(ctx, poller, nil)
		return err
	})
}

// adviseCreate adds to err what can be done about a machine that was made but
// did not become ready.
func (c *cloud) adviseCreate(ctx context.Context, s *createSpec, err error) error {
	if p, ok := errors.AsType[*problem](err); ok && p.code == exitConflict || ctx.Err() != nil {
		return err
	}
	if _, getErr := c.compute.NewVirtualMachinesClient().Get(ctx, s.group, s.name, nil); getErr != nil {
		return err
	}
	arg := s.name + groupFlag(s.group)
	return &advised{err, fmt.Sprintf("The machine exists. See more: lazuli vm show %s, and its guest's words: lazuli vm log %[1]s\nTo begin again: lazuli vm delete %[1]s", arg)}
}
