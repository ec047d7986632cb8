package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func vmShowCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show NAME", Short: "Show a virtual machine, its disks and what befell it",
		Args:              Args(1, 1, "NAME"),
		ValidArgsFunction: a.completeVMs,
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, args []string) error {
			m, err := a.findMachine(ctx, c, args[0])
			if err != nil {
				return err
			}
			return a.print(cmd, m, []string{m.name()}, m.describe())
		}),
	}
}

// describe is everything that a person wants to know of a machine.
func (m *machine) describe() *fields {
	f := &fields{}
	f.add("Name", m.name())
	f.add("Group", strings.ToLower(groupOf(m.ID)))
	f.add("State", m.state())
	f.add("Public IP", strings.Join(m.publicIPs, ", "))
	f.add("Private IP", strings.Join(m.privateIPs, ", "))
	f.add("Size", m.size())
	f.add("Image", m.image())
	if o := m.properties().OSProfile; o != nil {
		f.add("User", value(o.AdminUsername))
	}
	if at := m.properties().TimeCreated; at != nil {
		f.add("Created", at.UTC().Format(time.RFC3339))
	}
	m.describeDisks(f)
	for _, n := range m.nics {
		f.add("Network interface", value(n.Name))
	}
	for _, k := range slices.Sorted(maps.Keys(m.Tags)) {
		f.add("Tag", k+"="+value(m.Tags[k]))
	}
	m.describeStatuses(f)
	f.add("ID", value(m.ID))
	return f
}

func (m *machine) describeDisks(f *fields) {
	if d := m.storage().OSDisk; d != nil {
		f.add("OS disk", value(d.Name)+sizeOf(d.DiskSizeGB))
	}
	for _, d := range m.storage().DataDisks {
		f.add("Data disk", fmt.Sprintf("%s%s, lun %d", value(d.Name), sizeOf(d.DiskSizeGB), value(d.Lun)))
	}
}

func sizeOf(gib *int32) string {
	if gib == nil {
		return ""
	}
	return fmt.Sprintf(", %d GiB", *gib)
}

// describeStatuses tells the statuses that have something to tell.
func (m *machine) describeStatuses(f *fields) {
	for _, s := range m.statuses() {
		text := value(s.DisplayStatus)
		if msg := value(s.Message); msg != "" {
			text += ": " + msg
		}
		if s.Time != nil {
			text = s.Time.UTC().Format(time.RFC3339) + " " + text
		}
		f.add("Status", text)
	}
}
