package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
)

// imageName is an image as it is named on the command line: one of the forms.
type imageName struct {
	id   string                     // of a managed image
	urn  *armcompute.ImageReference // publisher:offer:sku:version
	name string                     // an alias, or the name of a managed image
}

func parseImage(s string) (imageName, error) {
	switch {
	case s == "":
		return imageName{}, usageError{"--image is missing: see lazuli image list"}
	case strings.HasPrefix(s, "/"):
		return imageName{id: s}, nil
	case !strings.Contains(s, ":"):
		return imageName{name: s}, nil
	}
	p := strings.Split(s, ":")
	if len(p) != 4 || slices.Contains(p, "") {
		return imageName{}, usageError{fmt.Sprintf("%q is not an image: give an alias like debian-12, publisher:offer:sku:version, or the name or id of a managed image", s)}
	}
	return imageName{urn: &armcompute.ImageReference{Publisher: &p[0], Offer: &p[1], SKU: &p[2], Version: &p[3]}}, nil
}

// platformImage is one of the cloud's own images.
type platformImage struct {
	Alias      string `json:"alias"`
	URN        string `json:"urn"`
	Generation string `json:"generation"` // "V1" boots by BIOS, "V2" by UEFI

	publisher, offer, sku string
}

func (i *platformImage) reference(version string) *armcompute.ImageReference {
	return &armcompute.ImageReference{Publisher: &i.publisher, Offer: &i.offer, SKU: &i.sku, Version: &version}
}

// generation is the one that the words of --firmware mean; "" for any.
func generation(firmware string) (armcompute.HyperVGenerationTypes, error) {
	switch firmware {
	case "":
		return "", nil
	case "bios":
		return armcompute.HyperVGenerationTypesV1, nil
	case "uefi":
		return armcompute.HyperVGenerationTypesV2, nil
	}
	return "", usageError{fmt.Sprintf("there is no firmware %q: use bios or uefi", firmware)}
}

func firmwareOf(generation string) string {
	switch generation {
	case string(armcompute.HyperVGenerationTypesV1):
		return "bios"
	case string(armcompute.HyperVGenerationTypesV2):
		return "uefi"
	}
	return ""
}

// findImage is the reference to the image that n names, of the generation
// wanted.
func (c *cloud) findImage(ctx context.Context, group string, n imageName, wanted armcompute.HyperVGenerationTypes) (*armcompute.ImageReference, error) {
	switch {
	case n.id != "":
		return &armcompute.ImageReference{ID: &n.id}, nil
	case n.urn != nil && wanted == "":
		return n.urn, nil
	case n.urn != nil:
		return c.findSKU(ctx, *n.urn.Publisher, *n.urn.Offer, *n.urn.SKU, *n.urn.Version, wanted)
	}
	publisher, offer, err := c.findOffer(ctx, n.name)
	if err != nil {
		return nil, err
	}
	if offer != "" {
		return c.findSKU(ctx, publisher, offer, "", "latest", wanted)
	}
	return c.findManaged(ctx, group, n.name, wanted)
}

// findOffer is the offer that the alias is the name of; "" when there is none.
func (c *cloud) findOffer(ctx context.Context, alias string) (publisher, offer string, err error) {
	images := c.compute.NewVirtualMachineImagesClient()
	publishers, err := images.ListPublishers(ctx, c.Location, nil)
	if err != nil {
		return "", "", fmt.Errorf("list images: %w", err)
	}
	for _, p := range publishers.VirtualMachineImageResourceArray {
		offers, err := images.ListOffers(ctx, c.Location, value(p.Name), nil)
		if err != nil {
			return "", "", fmt.Errorf("list images of %s: %w", value(p.Name), err)
		}
		for _, o := range offers.VirtualMachineImageResourceArray {
			if strings.EqualFold(value(o.Name), alias) {
				return value(p.Name), value(o.Name), nil
			}
		}
	}
	return "", "", nil
}

// findSKU finds the SKU of an offer that has the generation wanted; near is
// the one that was named, "" for any. An offer that boots both ways has a SKU
// for each, of which that for UEFI is named like the other with "-gen2".
func (c *cloud) findSKU(ctx context.Context, publisher, offer, near, version string, wanted armcompute.HyperVGenerationTypes) (*armcompute.ImageReference, error) {
	found, err := c.skus(ctx, publisher, offer)
	if err != nil {
		return nil, err
	}
	if i := choose(found, near, wanted); i != nil {
		return i.reference(version), nil
	}
	if wanted == "" || len(found) == 0 {
		return nil, &problem{code: exitNotFound, text: fmt.Sprintf("the offer %s of %s has no image", offer, publisher), next: seeImages}
	}
	return nil, &problem{code: exitNotFound, text: fmt.Sprintf("there is no image of %s that boots with the firmware %s", offer, firmwareOf(string(wanted))), next: seeImages}
}

// choose is the first image that is of the generation wanted and whose SKU is
// near, or differs from it in the generation only; nil when there is none.
func choose(images []*platformImage, near string, wanted armcompute.HyperVGenerationTypes) *platformImage {
	plain := func(sku string) string { return strings.TrimSuffix(strings.ToLower(sku), "-gen2") }
	for _, i := range images {
		if (near == "" || plain(i.sku) == plain(near)) && (wanted == "" || i.Generation == string(wanted)) {
			return i
		}
	}
	return nil
}

const seeImages = "See what there is: lazuli image list"

// skus are the images of an offer in the order of their names, one for each
// SKU.
func (c *cloud) skus(ctx context.Context, publisher, offer string) ([]*platformImage, error) {
	images := c.compute.NewVirtualMachineImagesClient()
	skus, err := images.ListSKUs(ctx, c.Location, publisher, offer, nil)
	if err != nil {
		return nil, fmt.Errorf("list images of %s: %w", offer, err)
	}
	var found []*platformImage
	for _, s := range skus.VirtualMachineImageResourceArray {
		versions, err := images.List(ctx, c.Location, publisher, offer, value(s.Name), nil)
		if err != nil {
			return nil, fmt.Errorf("list images of %s: %w", offer, err)
		}
		all := versions.VirtualMachineImageResourceArray
		if len(all) == 0 {
			continue
		}
		version := value(all[len(all)-1].Name)
		v, err := images.Get(ctx, c.Location, publisher, offer, value(s.Name), version, nil)
		if err != nil {
			return nil, fmt.Errorf("read image %s: %w", offer, err)
		}
		i := &platformImage{Alias: offer, publisher: publisher, offer: offer, sku: value(s.Name),
			URN: strings.Join([]string{publisher, offer, value(s.Name), version}, ":")}
		if v.Properties != nil {
			i.Generation = string(value(v.Properties.HyperVGeneration))
		}
		found = append(found, i)
	}
	slices.SortFunc(found, func(a, b *platformImage) int { return strings.Compare(a.sku, b.sku) })
	return found, nil
}

// findManaged finds the managed image of that name: in the group, or else in
// the only other group that has one.
func (c *cloud) findManaged(ctx context.Context, group, name string, wanted armcompute.HyperVGenerationTypes) (*armcompute.ImageReference, error) {
	images, err := c.managedImages(ctx)
	if err != nil {
		return nil, err
	}
	var found []*armcompute.Image
	for _, i := range images {
		if !strings.EqualFold(value(i.Name), name) {
			continue
		}
		if strings.EqualFold(groupOf(i.ID), group) {
			found = []*armcompute.Image{i}
			break
		}
		found = append(found, i)
	}
	switch {
	case len(found) == 0:
		return nil, &problem{code: exitNotFound, text: fmt.Sprintf("there is no image %q", name), next: seeImages}
	case len(found) > 1:
		return nil, usageError{fmt.Sprintf("several groups have an image %q: name it by its id, as in lazuli image list -o json", name)}
	}
	if g := managedGeneration(found[0]); wanted != "" && g != "" && g != string(wanted) {
		return nil, &problem{code: exitError, text: fmt.Sprintf("the image %s boots with the firmware %s only", name, firmwareOf(g))}
	}
	return &armcompute.ImageReference{ID: found[0].ID}, nil
}

func managedGeneration(i *armcompute.Image) string {
	if i.Properties == nil {
		return ""
	}
	return string(value(i.Properties.HyperVGeneration))
}

func (c *cloud) managedImages(ctx context.Context) ([]*armcompute.Image, error) {
	images, err := all(ctx, c.compute.NewImagesClient().NewListPager(nil),
		func(p armcompute.ImagesClientListResponse) []*armcompute.Image { return p.Value })
	if err != nil {
		return nil, fmt.Errorf("list managed images: %w", err)
	}
	return images, nil
}
