package network

import (
	"context"
	"slices"
	"strings"

	"lazuli/internal/arm"
)

type publicIPBody struct {
	arm.Header
	SKU        publicIPSKU        `json:"sku"`
	Zones      []string           `json:"zones,omitempty"`
	Properties publicIPProperties `json:"properties"`
}

type publicIPSKU struct {
	Name string `json:"name,omitempty"`
	Tier string `json:"tier,omitempty"`
}

type publicIPProperties struct {
	Method       string       `json:"publicIPAllocationMethod,omitempty"`
	Version      string       `json:"publicIPAddressVersion,omitempty"`
	IdleMinutes  int          `json:"idleTimeoutInMinutes,omitempty" arm:"notzero"`
	DNS          *publicDNS   `json:"dnsSettings,omitempty"`
	DDoS         ddosSettings `json:"ddosSettings"`
	DeleteOption string       `json:"deleteOption,omitempty"`
	IPTags       []struct{}   `json:"ipTags"` // always empty, as Azure shows it

	Address           string     `json:"ipAddress,omitempty" arm:"readonly"`
	Config            *reference `json:"ipConfiguration,omitempty" arm:"readonly"`
	ProvisioningState string     `json:"provisioningState,omitempty" arm:"readonly"`
	ResourceGUID      string     `json:"resourceGuid,omitempty" arm:"readonly"`
}

type publicDNS struct {
	Label string `json:"domainNameLabel,omitempty"`
	FQDN  string `json:"fqdn,omitempty" arm:"readonly"`
}

type ddosSettings struct {
	Mode string `json:"protectionMode,omitempty"`
}

const (
	basic    = "Basic"
	standard = "Standard"
	regional = "Regional"
	inherit  = "VirtualNetworkInherited"
	detach   = "Detach"
)

func readPublicIP(e *arm.Edit[PublicIP, NoStatus], b *publicIPBody) error {
	s, p := &e.Spec, &b.Properties
	sku, err := arm.Enum("sku.name", b.SKU.Name, basic, standard)
	if err != nil {
		return err
	}
	if sku == "" && e.Was != nil {
		sku = skuOf(s.Standard)
	}
	s.Standard = sku == standard
	if s.Static, err = readAllocation(p.Method, s.Standard); err != nil {
		return err
	}
	for _, fixed := range []struct{ target, value, only string }{
		{"sku.tier", b.SKU.Tier, regional},
		{"properties.publicIPAddressVersion", p.Version, ipv4},
		{"properties.ddosSettings.protectionMode", p.DDoS.Mode, inherit},
		{"properties.deleteOption", p.DeleteOption, detach},
	} {
		if _, err := arm.Enum(fixed.target, fixed.value, fixed.only); err != nil {
			return err
		}
	}
	if len(p.IPTags) > 0 {
		return arm.Unsupported("properties.ipTags")
	}
	if s.IdleMinutes = p.IdleMinutes; s.IdleMinutes == 0 {
		s.IdleMinutes = defaultIdle
	}
	if s.IdleMinutes < minIdle || s.IdleMinutes > maxIdle {
		return arm.InvalidParameter("properties.idleTimeoutInMinutes", "The idle timeout is %d minutes; it must be from %d to %d.", s.IdleMinutes, minIdle, maxIdle)
	}
	s.Label = ""
	if p.DNS != nil {
		s.Label = p.DNS.Label
	}
	return s.setZones(e.Was, b.Zones)
}

func readAllocation(method string, isStandard bool) (isStatic bool, err error) {
	const target = "properties.publicIPAllocationMethod"
	m, err := arm.Enum(target, method, static, dynamic)
	if err == nil && isStandard && m == dynamic {
		return false, arm.InvalidParameter(target, "A public IP address of SKU Standard is always allocated statically.")
	}
	return m == static || isStandard, err
}

// zoneNames are the names of zones that Azure has.
var zoneNames = []string{"1", "2", "3"}

// setZones takes the zones, which stay what they were at first. They only name
// where the address may be used, which here is everywhere.
func (s *PublicIP) setZones(was *arm.Object[PublicIP, NoStatus], zones []string) error {
	for _, z := range zones {
		if !slices.Contains(zoneNames, z) {
			return arm.InvalidParameter("zones", "The zone '%s' is not one of: %s.", z, strings.Join(zoneNames, ", "))
		}
	}
	if was != nil {
		if len(zones) > 0 && !slices.Equal(zones, was.Spec.Zones) {
			return arm.Conflict("ResourceAvailabilityZonesCannotBeModified", "The zones of a public IP address cannot change.").At("zones")
		}
		return nil
	}
	s.Zones = zones
	return nil
}

func skuOf(isStandard bool) string {
	if isStandard {
		return standard
	}
	return basic
}

func viewPublicIP(ctx context.Context, c *arm.Call, cfg Config, o *arm.Object[PublicIP, NoStatus], b *publicIPBody) error {
	s, p := &o.Spec, &b.Properties
	b.SKU = publicIPSKU{Name: skuOf(s.Standard), Tier: regional}
	b.Zones = s.Zones
	p.Method, p.Version, p.IdleMinutes, p.Address = methodOf(s.Static), ipv4, s.IdleMinutes, s.Address.String()
	if s.Label != "" {
		p.DNS = &publicDNS{Label: s.Label, FQDN: cfg.publicName(o.Location, s.Label)}
	}
	p.DDoS.Mode, p.IPTags = inherit, []struct{}{}
	p.ProvisioningState, p.ResourceGUID = succeeded, o.UID
	config, err := configOf(ctx, c, o.ID)
	p.Config = refer(config)
	return err
}

// configOf is the id of the IP configuration that uses the public address.
func configOf(ctx context.Context, c *arm.Call, ip arm.ID) (arm.ID, error) {
	users, err := arm.Users(ctx, c.Reader(), ip)
	if err != nil || len(users) == 0 {
		return arm.ID{}, err
	}
	nic, err := NICs.Find(ctx, c.Reader(), users[0])
	if err != nil || nic == nil {
		return arm.ID{}, err
	}
	for _, cfg := range nic.Spec.Configs {
		if cfg.PublicIP.Equal(ip) {
			return nic.ID.Child("ipConfigurations", cfg.Name), nil
		}
	}
	return arm.ID{}, nil
}
