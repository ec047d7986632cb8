package network

import (
	"context"
	"net/netip"
	"regexp"
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/store"
)

// PublicIP is a public address. It keeps its address for life, also when its
// allocation is dynamic.
type PublicIP struct {
	Address     netip.Addr `json:"address"`
	Static      bool       `json:"static"`
	Standard    bool       `json:"standard"` // the SKU, else Basic
	IdleMinutes int        `json:"idleMinutes"`
	Label       string     `json:"label,omitempty"` // of its name
	Zones       []string   `json:"zones,omitempty"`
}

func publicIPProvider(cfg Config) arm.Provider {
	return &arm.Tracked[publicIPBody, PublicIP, NoStatus, *publicIPBody]{
		Collection: PublicIPs, Locations: cfg.Locations, ShowETag: true,
		Apply: func(ctx context.Context, c *arm.Call, e *arm.Edit[PublicIP, NoStatus], b *publicIPBody) error {
			return applyPublicIP(ctx, c, cfg, e, b)
		},
		View: func(ctx context.Context, c *arm.Call, o *arm.Object[PublicIP, NoStatus], b *publicIPBody) error {
			return viewPublicIP(ctx, c, cfg, o, b)
		},
		Remove: removePublicIP,
	}
}

// The limits of idleTimeoutInMinutes and its default.
const (
	minIdle, maxIdle = 4, 30
	defaultIdle      = minIdle
)

func applyPublicIP(ctx context.Context, c *arm.Call, cfg Config, e *arm.Edit[PublicIP, NoStatus], b *publicIPBody) error {
	if err := readPublicIP(e, b); err != nil {
		return err
	}
	if err := checkPublicIPChange(ctx, c, e); err != nil {
		return err
	}
	if err := claimLabel(ctx, c.Tx, cfg, e); err != nil {
		return err
	}
	if e.New() {
		a, err := allocatePublic(ctx, c.Tx, cfg.PublicPool, e.UID, e.ID)
		e.Spec.Address = a
		return err
	}
	return nil
}

// checkPublicIPChange holds to what cannot change while the address is in use.
func checkPublicIPChange(ctx context.Context, c *arm.Call, e *arm.Edit[PublicIP, NoStatus]) error {
	if e.New() || e.Spec.Standard == e.Was.Spec.Standard {
		return nil
	}
	if !e.Spec.Standard {
		return arm.Conflict("PropertyChangeNotAllowed", "A public IP address of SKU Standard cannot become Basic.").At("sku.name")
	}
	users, err := arm.Users(ctx, c.Tx, e.ID)
	if err != nil || len(users) == 0 {
		return err
	}
	return arm.Conflict("PropertyChangeNotAllowed", "The SKU of public IP address %s cannot change while it is allocated to %s.", e.ID.Name(), users[0]).At("sku.name")
}

// allocatePublic claims an address of the pool.
func allocatePublic(ctx context.Context, tx store.Tx, p pool, uid string, id arm.ID) (netip.Addr, error) {
	const guesses = 8
	size, start := p.size(), scatter(uid)
	for i := range min(guesses, size) {
		a := p.at(start + i)
		other, err := publicAddresses.claim(ctx, tx, a.String(), id)
		if err != nil || other.IsZero() {
			return a, err
		}
	}
	taken, err := publicAddresses.held(ctx, tx)
	if err != nil {
		return netip.Addr{}, err
	}
	for i := range size {
		if a := p.at(start + i); !taken[a] {
			_, err := publicAddresses.claim(ctx, tx, a.String(), id)
			return a, err
		}
	}
	return netip.Addr{}, arm.Conflict("PublicIPAddressPoolExhausted", "All %d public IP addresses of this cloud are in use. Delete public IP addresses that are not needed, or have the cloud's operator add a prefix to its pool.", size)
}

var publicLabel = regexp.MustCompile(`^[a-z][a-z0-9-]{1,61}[a-z0-9]$`)

// claimLabel claims the name that is asked for, which is unique in a location,
// and lets go of the one before.
func claimLabel(ctx context.Context, tx store.Tx, cfg Config, e *arm.Edit[PublicIP, NoStatus]) error {
	const target = "properties.dnsSettings.domainNameLabel"
	label := e.Spec.Label
	if label != "" {
		if err := checkLabel(target, label); err != nil {
			return err
		}
	}
	if e.Was != nil && e.Was.Spec.Label != label {
		releaseLabel(tx, e.Was)
	}
	if label == "" {
		return nil
	}
	other, err := publicNames.claim(ctx, tx, e.Location+"/"+label, e.ID)
	if err == nil && !other.IsZero() {
		return arm.BadRequest("DnsRecordInUse", "DNS record %s is already used by another public IP.", cfg.publicName(e.Location, label)).At(target)
	}
	return err
}

func checkLabel(target, label string) error {
	if publicLabel.MatchString(label) {
		return nil
	}
	return arm.BadRequest("InvalidDomainNameLabel", "The domain name label %s is invalid. It must conform to the following regular expression: %s.", label, publicLabel).At(target)
}

func releaseLabel(tx store.Tx, o *arm.Object[PublicIP, NoStatus]) {
	if o.Spec.Label != "" {
		publicNames.release(tx, o.Location+"/"+o.Spec.Label)
	}
}

// publicName is the full name of a label.
func (c Config) publicName(location, label string) string {
	return strings.Join([]string{label, location, c.Domain}, ".")
}

func removePublicIP(ctx context.Context, c *arm.Call, o *arm.Object[PublicIP, NoStatus]) (bool, error) {
	users, err := arm.Users(ctx, c.Tx, o.ID)
	if err != nil {
		return false, err
	}
	if len(users) > 0 {
		return false, arm.BadRequest("PublicIPAddressCannotBeDeleted", "Public IP address %s can not be deleted since it is still allocated to resource %s. In order to delete the public IP, disassociate/detach the Public IP address from the resource.", o.ID, users[0])
	}
	publicAddresses.release(c.Tx, o.Spec.Address.String())
	releaseLabel(c.Tx, o)
	return false, nil
}
