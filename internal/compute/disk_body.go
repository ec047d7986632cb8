package compute

import (
	"context"
	"strings"
	"time"

	"lazuli/internal/arm"
)

type diskBody struct {
	arm.Header
	SKU        *diskSKU       `json:"sku,omitempty"`
	Zones      []string       `json:"zones,omitempty"`
	ManagedBy  string         `json:"managedBy,omitempty" arm:"readonly"`
	Properties diskProperties `json:"properties"`
}

type diskSKU struct {
	Name string `json:"name,omitempty"`
	Tier string `json:"tier,omitempty" arm:"readonly"`
}

type diskProperties struct {
	OSType            string          `json:"osType,omitempty"`
	HyperVGeneration  string          `json:"hyperVGeneration,omitempty"`
	Creation          creationData    `json:"creationData"`
	SizeGB            int64           `json:"diskSizeGB,omitempty" arm:"notzero"`
	Encryption        *diskEncryption `json:"encryption,omitempty"`
	NetworkAccess     string          `json:"networkAccessPolicy,omitempty"`
	PublicAccess      string          `json:"publicNetworkAccess,omitempty"`
	MaxShares         int             `json:"maxShares,omitempty" arm:"notzero"`
	DataAccessMode    string          `json:"dataAccessAuthMode,omitempty"`
	SizeBytes         int64           `json:"diskSizeBytes,omitempty" arm:"readonly"`
	State             string          `json:"diskState,omitempty" arm:"readonly"`
	TimeCreated       *time.Time      `json:"timeCreated,omitempty" arm:"readonly"`
	ProvisioningState string          `json:"provisioningState,omitempty" arm:"readonly"`
	UniqueID          string          `json:"uniqueId,omitempty" arm:"readonly"`

	_ struct{} `arm:"readonly=supportedCapabilities,propertyUpdatesInProgress,LastOwnershipUpdateTime,completionPercent,shareInfo"`
}

type creationData struct {
	CreateOption string          `json:"createOption"`
	Source       *arm.ID         `json:"sourceResourceId,omitempty"`
	SourceUID    string          `json:"sourceUniqueId,omitempty" arm:"readonly"`
	Image        *imageReference `json:"imageReference,omitempty"`
}

type diskEncryption struct {
	Type string `json:"type,omitempty"`
}

// The only ways there are of keeping and reaching a disk.
const (
	platformKey = "EncryptionAtRestWithPlatformKey"
	allowAll    = "AllowAll"
	enabled     = "Enabled"
	none        = "None"
)

func viewDisk(ctx context.Context, c *arm.Call, o *diskObject, b *diskBody) error {
	d, p := &o.Spec, &b.Properties
	tier, _, _ := strings.Cut(d.SKU, "_")
	b.SKU = &diskSKU{Name: d.SKU, Tier: strings.TrimSuffix(tier, "SSD")}
	b.Zones, b.ManagedBy = d.Zones, d.ManagedBy.String()
	p.OSType, p.HyperVGeneration, p.SizeGB = d.OSType, d.HyperVGeneration, d.SizeGiB
	p.SizeBytes, p.UniqueID, p.TimeCreated = d.SizeBytes(), o.UID, &o.CreatedAt
	p.Creation = creationData{CreateOption: d.CreateOption, SourceUID: d.SourceUID}
	switch d.CreateOption {
	case copied:
		p.Creation.Source = &d.Source
	case fromImage:
		p.Creation.Image = &imageReference{ID: d.Source}
	}
	p.Encryption = &diskEncryption{Type: platformKey}
	p.NetworkAccess, p.PublicAccess = allowAll, enabled
	p.ProvisioningState = provisioningState(&o.Meta, o.Status.ObservedGeneration, o.Status.Failure)
	state, err := diskState(ctx, c, o)
	p.State = state
	return err
}

// diskState is whether a machine has the disk: "Reserved" when the machine is
// deallocated.
func diskState(ctx context.Context, c *arm.Call, o *diskObject) (string, error) {
	owner, err := ownerOf(ctx, c.Reader(), o)
	if err != nil {
		return "", err
	}
	if owner.IsZero() {
		return "Unattached", nil
	}
	vm, err := VMs.Find(ctx, c.Reader(), owner)
	if err != nil {
		return "", err
	}
	if vm != nil && !o.Spec.ManagedBy.IsZero() && PowerState(vm) == Deallocated {
		return "Reserved", nil
	}
	return "Attached", nil
}
