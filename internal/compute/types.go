package compute

import (
	"context"
	"regexp"

	"lazuli/internal/arm"
	"lazuli/internal/fabric"
	"lazuli/internal/store"
)

// The full names of the types.
const (
	VMType    = "Microsoft.Compute/virtualMachines"
	DiskType  = "Microsoft.Compute/disks"
	ImageType = "Microsoft.Compute/images"
	AVSetType = "Microsoft.Compute/availabilitySets"
	KeyType   = "Microsoft.Compute/sshPublicKeys"
)

// NoStatus is the status of types that are what their spec says at once.
type NoStatus struct{}

// Where the resources are stored.
var (
	VMs   = arm.Collection[VM, VMStatus]{Type: VMType}
	Disks = arm.Collection[Disk, DiskStatus]{Type: DiskType}
	// Images are those that users make of their disks.
	Images           = arm.Collection[Image, ImageStatus]{Type: ImageType}
	AvailabilitySets = arm.Collection[AvailabilitySet, NoStatus]{Type: AVSetType}
	PublicKeys       = arm.Collection[PublicKey, NoStatus]{Type: KeyType}
)

// Config is what the machines of a cloud have in common.
type Config struct {
	// Locations of the cloud; none means that any name is one.
	Locations []string
	// Catalogue lists the platform's images.
	Catalogue Catalogue
	// MaxCores bounds the virtual CPUs of a subscription's machines, as the
	// list of usages shows it; 0 is no bound worth showing.
	MaxCores int
}

// Catalogue knows the platform's images.
type Catalogue interface {
	List(ctx context.Context, r store.Reader) ([]fabric.NodeImage, error)
}

var (
	vmVersions   = []string{"2025-04-01", "2024-03-01", "2022-11-01", "2022-03-01", "2020-06-01"}
	diskVersions = []string{"2025-01-02", "2023-04-02", "2022-07-02", "2019-07-01"}
)

var (
	vmNames = arm.NameRule{
		Pattern: regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,62}[A-Za-z0-9_])?$`),
		Hint:    "1 to 64 letters, digits, '_', '.' and '-', beginning with a letter or digit and not ending with '.' or '-'",
	}
	diskNames = arm.NameRule{
		Pattern: regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,78}[A-Za-z0-9_])?$`),
		Hint:    "1 to 80 letters, digits, '_', '.' and '-', not beginning with '.' or '-' nor ending with one",
	}
)

// Types is the table of the resource types.
func Types(cfg Config) []arm.Type {
	const ok, created, accepted = 200, 201, 202
	vms := vmProvider(cfg)
	return []arm.Type{
		{
			Name: VMType, Names: vmNames, Tracked: true, Provider: vms, APIVersions: vmVersions,
			Created: created, Updated: ok, Expands: []string{"instanceView", "userData"}, Actions: vmActions(cfg),
		},
		{
			Name: ExtensionType, Names: vmNames, Provider: extensions{}, APIVersions: vmVersions,
			Created: created, Updated: ok, Expands: []string{"instanceView"},
		},
		{
			Name: DiskType, Names: diskNames, Tracked: true, Provider: diskProvider(cfg), APIVersions: diskVersions,
			Created: accepted, Updated: accepted, Actions: diskActions(),
		},
		{
			Name: ImageType, Names: diskNames, Tracked: true, Provider: imageProvider(cfg), APIVersions: vmVersions,
			Created: created, Updated: ok,
		},
		{
			Name: AVSetType, Names: diskNames, Tracked: true, Provider: avsetProvider(cfg), APIVersions: vmVersions,
			Created: ok, Updated: ok, Expands: []string{"virtualMachines/$ref"}, Actions: avsetActions(),
		},
		{
			Name: KeyType, Names: diskNames, Tracked: true, Provider: publicKeyProvider(cfg), APIVersions: vmVersions,
			Created: created, Updated: ok, Actions: map[string]arm.Action{"generateKeyPair": generateKeyPair},
		},
	}
}
