package cli

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
)

// TestManagedImage makes an image of a machine and a machine of the image,
// which is named in each way that it can be.
func TestManagedImage(t *testing.T) {
	c := testCloud(t)
	for _, args := range [][]string{
		{"vm", "create", "base", "--image", "tiny", "--ssh-key", testKey},
		{"vm", "deallocate", "base"},
		{"group", "create", "shop"},
	} {
		if err := c.command(t.Context(), args...); err != nil {
			t.Fatal(err)
		}
	}
	vms := c.compute.NewVirtualMachinesClient()
	if _, err := vms.Generalize(t.Context(), defaultGroup, "base", nil); err != nil {
		t.Fatal(err)
	}
	base, err := c.machine(t.Context(), defaultGroup, "base")
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.compute.NewImagesClient().BeginCreateOrUpdate(t.Context(), defaultGroup, "gold", armcompute.Image{
		Location:   &c.Location,
		Properties: &armcompute.ImageProperties{SourceVirtualMachine: &armcompute.SubResource{ID: base.ID}, HyperVGeneration: to.Ptr(armcompute.HyperVGenerationTypesV1)},
	}, nil)
	gold, err := wait(t.Context(), p, err)
	if err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"by-name":    {"--image", "gold"},
		"by-id":      {"--image", *gold.ID},
		"from-afar":  {"--image", "GOLD", "--group", "shop"},
		"generation": {"--image", "gold", "--firmware", "bios"},
	} {
		if err := c.command(t.Context(), append([]string{"vm", "create", name, "--ssh-key", testKey}, args...)...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	err = c.command(t.Context(), "vm", "create", "x", "--ssh-key", testKey, "--image", "gold", "--firmware", "uefi")
	if err == nil || !strings.Contains(err.Error(), "boots with the firmware bios only") {
		t.Errorf("the wrong firmware: %v", err)
	}
}

// untilWritten ends a context with the first write.
type untilWritten struct {
	bytes.Buffer
	cancel func()
}

func (u *untilWritten) Write(p []byte) (int, error) {
	if len(p) > 0 {
		u.cancel()
	}
	return u.Buffer.Write(p)
}

func TestFollowedLogEndsWithInterruption(t *testing.T) {
	c := testCloud(t)
	if err := c.command(t.Context(), "vm", "create", "web1", "--image", "tiny", "--ssh-key", testKey); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := &untilWritten{cancel: cancel}
	if err := c.printLog(ctx, w, defaultGroup, "web1", true); err != nil || w.Len() == 0 {
		t.Errorf("%d bytes, %v", w.Len(), err)
	}
	if err := c.printLog(t.Context(), w, defaultGroup, "nope", true); !isNotFound(err) {
		t.Errorf("the log of no machine: %v", err)
	}
}
