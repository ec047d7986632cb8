package compute

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/fabric"
)

// imageItem is a publisher, offer, SKU or version in the lists of images,
// which are bare arrays.
type imageItem struct {
	ID         string           `json:"id"`
	Name       string           `json:"name"`
	Location   string           `json:"location"`
	Properties *imageProperties `json:"properties,omitempty"`
}

type imageProperties struct {
	HyperVGeneration string `json:"hyperVGeneration"`
	Architecture     string `json:"architecture"`
	OSDiskImage      struct {
		OperatingSystem string `json:"operatingSystem"`
	} `json:"osDiskImage"`
	DataDiskImages []struct{} `json:"dataDiskImages"`
	AutomaticOS    struct {
		Supported bool `json:"automaticOSUpgradeSupported"`
	} `json:"automaticOSUpgradeProperties"`
	Features []struct{} `json:"features"`
}

// x64 is the one kind of processor that there is.
const x64 = "x64"

const publishersPath = "/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/publishers"

// imageEndpoints are the lists of the platform's images: one path for each
// part of an image's name.
func imageEndpoints(cat Catalogue) []arm.Endpoint {
	offers := publishersPath + "/{publisher}/artifacttypes/" + vmImage + "/offers"
	skus := offers + "/{offer}/skus"
	versions := skus + "/{sku}/versions"
	list := func(path string, part func(*fabric.NodeImage) string) arm.Endpoint {
		return arm.Endpoint{Method: "GET", Path: path, Handle: func(ctx context.Context, c *arm.Call, vars map[string]string) (arm.Result, error) {
			images, err := matching(ctx, c, cat, vars)
			return arm.Result{Body: itemsOf(images, vars, part)}, err
		}}
	}
	return []arm.Endpoint{
		{Method: "GET", Path: publishersPath, Handle: func(ctx context.Context, c *arm.Call, vars map[string]string) (arm.Result, error) {
			images, err := matching(ctx, c, cat, vars)
			return arm.Result{Body: withExtensions(itemsOf(images, vars, func(i *fabric.NodeImage) string { return i.Publisher }), vars)}, err
		}},
		list(offers, func(i *fabric.NodeImage) string { return i.Offer }),
		list(skus, func(i *fabric.NodeImage) string { return i.SKU }),
		{Method: "GET", Path: versions, Handle: func(ctx context.Context, c *arm.Call, vars map[string]string) (arm.Result, error) {
			images, err := matching(ctx, c, cat, vars)
			if err != nil {
				return arm.Result{}, err
			}
			items, err := versionsOf(images, c.Query, vars)
			return arm.Result{Body: items}, err
		}},
		{Method: "GET", Path: versions + "/{version}", Handle: func(ctx context.Context, c *arm.Call, vars map[string]string) (arm.Result, error) {
			return showVersion(ctx, c, cat, vars)
		}},
	}
}

// matching are the images with the names in vars. Of what is named there is at
// least one.
func matching(ctx context.Context, c *arm.Call, cat Catalogue, vars map[string]string) ([]fabric.NodeImage, error) {
	images, err := offered(ctx, c.Reader(), cat)
	if err != nil {
		return nil, err
	}
	fits := func(want, is string) bool { return want == "" || strings.EqualFold(want, is) }
	named := slices.DeleteFunc(slices.Clone(images), func(i fabric.NodeImage) bool {
		return len(i.Firmware) == 0 || !fits(vars["publisher"], i.Publisher) || !fits(vars["offer"], i.Offer) || !fits(vars["sku"], i.SKU)
	})
	if len(named) == 0 && vars["publisher"] != "" && (vars["offer"] != "" || !hasExtensions(vars["publisher"])) {
		return nil, noImage(images, vars["publisher"], vars["offer"], vars["sku"])
	}
	return named, nil
}

// noImage is the 404 for a publisher, offer, SKU or version that there is not.
func noImage(images []fabric.NodeImage, parts ...string) error {
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
	return arm.StatusError(404, "NotFound", "Artifact: VMImage was not found: %s. %s", strings.Join(parts, ":"), whatThereIs(images))
}

// whatThereIs names the images, for who asked for another.
func whatThereIs(images []fabric.NodeImage) string {
	var urns []string
	for _, i := range images {
		if urn := i.Publisher + ":" + i.Offer + ":" + i.SKU; len(i.Firmware) > 0 && !slices.Contains(urns, urn) {
			urns = append(urns, urn)
		}
	}
	if len(urns) == 0 {
		return "This cloud has no image yet: install one with 'lazuli image build'."
	}
	slices.Sort(urns)
	return "This cloud has: " + strings.Join(urns, ", ") + "."
}

// itemsOf lists one part of the names of images, each once.
func itemsOf(images []fabric.NodeImage, vars map[string]string, part func(*fabric.NodeImage) string) []imageItem {
	items := []imageItem{}
	for i := range images {
		name := part(&images[i])
		if slices.ContainsFunc(items, func(x imageItem) bool { return strings.EqualFold(x.Name, name) }) {
			continue
		}
		items = append(items, imageItem{ID: itemID(vars, &images[i], name), Name: name, Location: vars["location"]})
	}
	slices.SortFunc(items, func(a, b imageItem) int { return strings.Compare(a.Name, b.Name) })
	return items
}

// itemID is the part of an image's id that ends in name.
func itemID(vars map[string]string, img *fabric.NodeImage, name string) string {
	id := platformImageID(vars["subscription"], vars["location"], img)
	depth := 2
	for _, part := range []string{"publisher", "offer", "sku"} {
		if vars[part] == "" {
			break
		}
		depth = map[string]int{"publisher": 4, "offer": 5, "sku": 6}[part]
	}
	id.Types, id.Names = id.Types[:depth], slices.Clone(id.Names[:depth])
	id.Names[depth-1] = name
	return id.String()
}

// versionsOf lists versions as the query asks: $orderby=name desc, $top and
// $expand=properties.
func versionsOf(images []fabric.NodeImage, query url.Values, vars map[string]string) ([]imageItem, error) {
	slices.SortFunc(images, func(a, b fabric.NodeImage) int { return compareVersions(a.Version, b.Version) })
	switch order := strings.Join(strings.Fields(strings.ToLower(query.Get("$orderby"))), " "); order {
	case "", "name", "name asc":
	case "name desc":
		slices.Reverse(images)
	default:
		return nil, arm.InvalidParameter("$orderby", "The value '%s' of $orderby is not one of: name asc, name desc.", order)
	}
	if top := query.Get("$top"); top != "" {
		n, err := strconv.Atoi(top)
		if err != nil || n < 1 {
			return nil, arm.InvalidParameter("$top", "The value '%s' of $top is not a number from 1.", top)
		}
		images = images[:min(n, len(images))]
	}
	items := []imageItem{}
	for i := range images {
		item := versionItem(&images[i], vars)
		if !strings.Contains(strings.ToLower(query.Get("$expand")), "properties") {
			item.Properties = nil
		}
		items = append(items, item)
	}
	return items, nil
}

func showVersion(ctx context.Context, c *arm.Call, cat Catalogue, vars map[string]string) (arm.Result, error) {
	ref := &imageReference{Publisher: vars["publisher"], Offer: vars["offer"], SKU: vars["sku"], Version: vars["version"]}
	img, ok, err := findPlatformImage(ctx, c.Reader(), cat, ref)
	if err != nil {
		return arm.Result{}, err
	}
	if !ok {
		images, err := offered(ctx, c.Reader(), cat)
		if err == nil {
			err = noImage(images, ref.Publisher, ref.Offer, ref.SKU, ref.Version)
		}
		return arm.Result{}, err
	}
	return arm.Result{Body: versionItem(&img, vars)}, nil
}

func versionItem(img *fabric.NodeImage, vars map[string]string) imageItem {
	p := &imageProperties{
		HyperVGeneration: generationOf(img.Firmware[0]), Architecture: x64,
		DataDiskImages: []struct{}{}, Features: []struct{}{},
	}
	p.OSDiskImage.OperatingSystem = orElse(img.OSType, linux)
	id := platformImageID(vars["subscription"], vars["location"], img)
	return imageItem{ID: id.String(), Name: img.Version, Location: vars["location"], Properties: p}
}
