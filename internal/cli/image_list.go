package cli

import (
	"context"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/spf13/cobra"
)

func imageCommand(a *app) *cobra.Command {
	cmd := parent("image", "Images that virtual machines begin as", "")
	cmd.AddCommand(&cobra.Command{
		Use: "list", Short: "List the cloud's images and your managed ones",
		Long: "List the images for lazuli vm create --image, which takes what is in any of the\nfirst two columns.",
		Args: Args(0, 0, ""),
		RunE: a.run(func(ctx context.Context, c *cloud, cmd *cobra.Command, _ []string) error {
			platform, err := c.platformImages(ctx)
			if err != nil {
				return err
			}
			managed, err := c.managedImages(ctx)
			if err != nil {
				return err
			}
			return a.printImages(cmd, platform, managed)
		}),
	})
	return cmd
}

// imageList is the list of images for programs.
type imageList struct {
	Platform []*platformImage    `json:"platform"`
	Managed  []*armcompute.Image `json:"managed"`
}

func (a *app) printImages(cmd *cobra.Command, platform []*platformImage, managed []*armcompute.Image) error {
	t := &table{columns: []string{"NAME", "PUBLISHER:OFFER:SKU:VERSION", "FIRMWARE", "GROUP"}}
	var names []string
	for _, i := range platform {
		names = append(names, i.Alias)
		t.add(i.Alias, i.URN, firmwareOf(i.Generation), "")
	}
	for _, i := range managed {
		names = append(names, value(i.Name))
		t.add(value(i.Name), "", firmwareOf(managedGeneration(i)), groupOf(i.ID))
	}
	return a.print(cmd, imageList{listOf(platform), listOf(managed)}, names, t)
}

// platformImages are the newest versions of all the cloud's images.
func (c *cloud) platformImages(ctx context.Context) ([]*platformImage, error) {
	images := c.compute.NewVirtualMachineImagesClient()
	publishers, err := images.ListPublishers(ctx, c.Location, nil)
	if err != nil {
		return nil, fmt.Errorf("list images: %w", err)
	}
	var found []*platformImage
	for _, p := range publishers.VirtualMachineImageResourceArray {
		offers, err := images.ListOffers(ctx, c.Location, value(p.Name), nil)
		if err != nil {
			return nil, fmt.Errorf("list images of %s: %w", value(p.Name), err)
		}
		for _, o := range offers.VirtualMachineImageResourceArray {
			skus, err := c.skus(ctx, value(p.Name), value(o.Name))
			if err != nil {
				return nil, err
			}
			found = append(found, skus...)
		}
	}
	return found, nil
}
