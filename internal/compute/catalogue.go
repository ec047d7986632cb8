package compute

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/fabric"
	"lazuli/internal/store"
)

// imageReference is an image in a body: by publisher, offer, SKU and version,
// or by id.
type imageReference struct {
	Publisher    string `json:"publisher,omitempty"`
	Offer        string `json:"offer,omitempty"`
	SKU          string `json:"sku,omitempty"`
	Version      string `json:"version,omitempty"`
	ExactVersion string `json:"exactVersion,omitempty" arm:"readonly"`
	ID           arm.ID `json:"id,omitzero"`
}

// resolved is an image that something can begin as.
type resolved struct {
	name     string // on the nodes
	source   arm.ID // of the image
	osType   string
	firmware fabric.Firmware
	bytes    int64
	ref      ImageRef
}

func (i *resolved) generation() string { return generationOf(i.firmware) }

// sizeGiB is the least size of a disk that begins as the image.
func (i *resolved) sizeGiB() int64 { return max(minDiskGiB, (i.bytes+gib-1)/gib) }

const latest = "latest"

// resolveImage finds the image that the property target of the resource of m
// refers to.
func resolveImage(ctx context.Context, c *arm.Call, cat Catalogue, m *arm.Meta, target string, r *imageReference) (*resolved, error) {
	if !r.ID.IsZero() && r.Publisher+r.Offer+r.SKU+r.Version != "" {
		return nil, arm.InvalidParameter(target, "An image is named by publisher, offer, sku and version, or by id; not by both.")
	}
	if r.ID.Is(ImageType) {
		return resolveUserImage(ctx, c, m, target, r.ID)
	}
	if !r.ID.IsZero() {
		urn, ok := urnOf(r.ID)
		if !ok {
			return nil, arm.BadRequest("LinkedInvalidPropertyId", "'%s' in property '%s' is not the id of an image.", r.ID, target).At(target + ".id")
		}
		if arm.NormalizeLocation(r.ID.Names[0]) != m.Location {
			return nil, arm.BrokenLink(m, target+".id", r.ID)
		}
		r = &urn
	}
	for name, value := range map[string]string{"publisher": r.Publisher, "offer": r.Offer, "sku": r.SKU, "version": r.Version} {
		if value == "" {
			return nil, arm.InvalidParameter(target+"."+name, "An image is named by publisher, offer, sku and version, or by id; '%s' is missing.", name)
		}
	}
	img, ok, err := findPlatformImage(ctx, c.Reader(), cat, r)
	if err != nil {
		return nil, err
	}
	if !ok {
		images, err := offered(ctx, c.Reader(), cat)
		if err != nil {
			return nil, err
		}
		return nil, arm.StatusError(404, "PlatformImageNotFound", "The platform image '%s:%s:%s:%s' is not available. Verify that all fields in the storage profile are correct. %s", r.Publisher, r.Offer, r.SKU, r.Version, whatThereIs(images)).At(target)
	}
	return &resolved{
		name: img.Name, source: platformImageID(m.ID.Subscription, m.Location, &img),
		osType: orElse(img.OSType, linux), firmware: img.Firmware[0], bytes: img.SizeBytes,
		ref: ImageRef{Publisher: img.Publisher, Offer: img.Offer, SKU: img.SKU, Version: r.Version, ExactVersion: img.Version},
	}, nil
}

func resolveUserImage(ctx context.Context, c *arm.Call, m *arm.Meta, target string, id arm.ID) (*resolved, error) {
	img, err := arm.Linked(ctx, c.Tx, Images, m, target+".id", id)
	if err == nil {
		err = c.CheckLink(m.ID, id)
	}
	if err != nil {
		return nil, err
	}
	if img.Status.ObservedGeneration == 0 || img.Status.Failure != nil {
		return nil, arm.Conflict("OperationNotAllowed", "Image %s is not ready. Wait until its provisioning state is Succeeded and try again.", id).At(target + ".id")
	}
	s := &img.Spec
	return &resolved{
		name: s.NodeName(img.UID), source: img.ID, osType: s.OSType, firmware: firmwareOf(s.HyperVGeneration),
		bytes: s.SizeGiB * gib, ref: ImageRef{ID: img.ID},
	}, nil
}

// offered are the images as clients see them: an image that boots both ways is
// offered twice, by UEFI under its SKU with gen2 at the end, as Azure does it.
// The first firmware of each is how it boots.
func offered(ctx context.Context, r store.Reader, cat Catalogue) ([]fabric.NodeImage, error) {
	all, err := cat.List(ctx, r)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(all)
	for _, img := range all {
		if len(img.Firmware) < 2 || img.Firmware[0] == fabric.UEFI || !slices.Contains(img.Firmware, fabric.UEFI) {
			continue
		}
		img.SKU, img.Firmware = img.SKU+gen2, []fabric.Firmware{fabric.UEFI}
		out = append(out, img)
	}
	return out, nil
}

const gen2 = "-gen2"

// findPlatformImage finds the image that r names; "latest" is the highest
// version.
func findPlatformImage(ctx context.Context, r store.Reader, cat Catalogue, ref *imageReference) (fabric.NodeImage, bool, error) {
	all, err := offered(ctx, r, cat)
	if err != nil {
		return fabric.NodeImage{}, false, err
	}
	var found fabric.NodeImage
	ok := false
	for _, img := range all {
		if !strings.EqualFold(img.Publisher, ref.Publisher) || !strings.EqualFold(img.Offer, ref.Offer) || !strings.EqualFold(img.SKU, ref.SKU) || len(img.Firmware) == 0 {
			continue
		}
		if strings.EqualFold(ref.Version, latest) {
			if !ok || compareVersions(img.Version, found.Version) > 0 {
				found, ok = img, true
			}
		} else if strings.EqualFold(img.Version, ref.Version) {
			return img, true, nil
		}
	}
	return found, ok, nil
}

// compareVersions orders versions by their numbers: 12.9 is before 12.10.
func compareVersions(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(x, y string) int {
		m, err1 := strconv.ParseUint(x, 10, 64)
		n, err2 := strconv.ParseUint(y, 10, 64)
		if err1 != nil || err2 != nil {
			return strings.Compare(x, y)
		}
		return cmp.Compare(m, n)
	})
}

// The types in the id of a platform's image, in order.
var imageTypes = []string{"locations", "publishers", "artifacttypes", "offers", "skus", "versions"}

const vmImage = "vmimage"

// platformImageID is the id of a version of a platform's image.
func platformImageID(subscription, location string, img *fabric.NodeImage) arm.ID {
	return arm.ID{
		Subscription: subscription, Namespace: "Microsoft.Compute",
		Types: imageTypes, Names: []string{location, img.Publisher, vmImage, img.Offer, img.SKU, img.Version},
	}
}

// urnOf reads the id of a version of a platform's image.
func urnOf(id arm.ID) (imageReference, bool) {
	if id.ResourceGroup != "" || !strings.EqualFold(id.Namespace, "Microsoft.Compute") || !slices.EqualFunc(id.Types, imageTypes, strings.EqualFold) {
		return imageReference{}, false
	}
	n := id.Names
	return imageReference{Publisher: n[1], Offer: n[3], SKU: n[4], Version: n[5]}, true
}
