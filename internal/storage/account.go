package storage

import (
	"context"
	"time"

	"lazuli/internal/arm"
)

// Account is a storage account, as it was asked for.
type Account struct {
	SKU      string   `json:"sku"`
	Kind     string   `json:"kind"`
	Settings settings `json:"settings"`
}

// NoStatus is the status of what is as its spec says at once.
type NoStatus struct{}

// The kinds of accounts and of what they would be stored on.
var (
	kinds = []string{"StorageV2", "Storage", "BlobStorage", "BlockBlobStorage", "FileStorage"}
	skus  = []string{
		"Standard_LRS", "Standard_GRS", "Standard_RAGRS", "Standard_ZRS", "Standard_GZRS", "Standard_RAGZRS", "Premium_LRS", "Premium_ZRS",
	}
)

// Words of bodies.
const (
	premium   = "Premium"
	succeeded = "Succeeded"
	available = "available"
)

type (
	object = arm.Object[Account, NoStatus]
	edit   = arm.Edit[Account, NoStatus]
)

func provider(cfg Config) arm.Provider {
	return &arm.Tracked[accountBody, Account, NoStatus, *accountBody]{
		Collection: Accounts, Locations: cfg.Locations,
		Apply: apply,
		View: func(_ context.Context, _ *arm.Call, o *object, b *accountBody) error {
			cfg.view(o, b)
			return nil
		},
		Remove: func(_ context.Context, c *arm.Call, o *object) (bool, error) {
			c.Tx.Delete(nameKey(o.ID.Name()))
			return false, nil
		},
	}
}

func apply(ctx context.Context, c *arm.Call, e *edit, b *accountBody) error {
	if e.New() {
		if err := claimName(ctx, c.Tx, e.ID); err != nil {
			return err
		}
		if b.SKU == nil || b.SKU.Name == "" {
			return arm.InvalidParameter("sku.name", "A storage account needs sku.name, like Standard_LRS.")
		}
		if b.Kind == "" {
			return arm.InvalidParameter("kind", "A storage account needs a kind, like StorageV2.")
		}
	}
	if b.SKU != nil && b.SKU.Name != "" {
		sku, err := arm.Enum("sku.name", b.SKU.Name, skus...)
		if err != nil {
			return err
		}
		e.Spec.SKU = sku
	}
	kind, err := arm.Enum("kind", b.Kind, kinds...)
	if err != nil {
		return err
	}
	if kind != "" {
		e.Spec.Kind = kind
	}
	if b.Identity != nil {
		if _, err := arm.Enum("identity.type", b.Identity.Type, "None"); err != nil {
			return err
		}
	}
	e.Spec.Settings = b.Properties.settings
	return nil
}

func (cfg Config) view(o *object, b *accountBody) {
	a, p := &o.Spec, &b.Properties
	b.SKU, b.Kind = &accountSKU{Name: a.SKU, Tier: tierOf(a.SKU)}, a.Kind
	p.settings = a.Settings
	p.ProvisioningState, p.CreatedAt = succeeded, &o.CreatedAt
	p.PrimaryLocation, p.PrimaryStatus = o.Location, available
	p.Primary = &endpoints{
		Blob: cfg.endpoint(o, "blob"), File: cfg.endpoint(o, "file"),
		Queue: cfg.endpoint(o, "queue"), Table: cfg.endpoint(o, "table"),
	}
}

// endpoint is where one part of the account would be, which is a name only.
func (cfg Config) endpoint(o *object, part string) string {
	return "https://" + o.ID.Name() + "." + part + ".storage." + cfg.Domain + "/"
}

func tierOf(sku string) string {
	if len(sku) >= len(premium) && sku[:len(premium)] == premium {
		return premium
	}
	return "Standard"
}

type accountBody struct {
	arm.Header
	SKU        *accountSKU       `json:"sku,omitempty"`
	Kind       string            `json:"kind,omitempty"`
	Identity   *identity         `json:"identity,omitempty"`
	Properties accountProperties `json:"properties"`
}

type accountSKU struct {
	Name string `json:"name,omitempty"`
	Tier string `json:"tier,omitempty" arm:"readonly"`
}

type identity struct {
	Type string `json:"type,omitempty"`
}

type accountProperties struct {
	settings
	ProvisioningState string     `json:"provisioningState,omitempty" arm:"readonly"`
	CreatedAt         *time.Time `json:"creationTime,omitempty" arm:"readonly"`
	PrimaryLocation   string     `json:"primaryLocation,omitempty" arm:"readonly"`
	PrimaryStatus     string     `json:"statusOfPrimary,omitempty" arm:"readonly"`
	Primary           *endpoints `json:"primaryEndpoints,omitempty" arm:"readonly"`

	_ struct{} `arm:"readonly=keyCreationTime,privateEndpointConnections,secondaryLocation,statusOfSecondary,secondaryEndpoints"`
}

type endpoints struct {
	Blob  string `json:"blob"`
	File  string `json:"file"`
	Queue string `json:"queue"`
	Table string `json:"table"`
}
