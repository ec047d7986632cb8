package network

import (
	"context"
	"regexp"
	"strings"

	"lazuli/internal/arm"
)

type nicBody struct {
	arm.Header
	Properties nicProperties `json:"properties"`
}

type nicProperties struct {
	Configs    []ipConfigBody `json:"ipConfigurations"`
	NSG        *reference     `json:"networkSecurityGroup,omitempty"`
	DNS        nicDNS         `json:"dnsSettings"`
	Forwarding bool           `json:"enableIPForwarding"`
	Accelerate bool           `json:"enableAcceleratedNetworking"`
	// The only hardware there is.
	NICType       string `json:"nicType,omitempty"`
	AuxiliaryMode string `json:"auxiliaryMode,omitempty"`
	AuxiliarySKU  string `json:"auxiliarySku,omitempty"`

	MAC               string     `json:"macAddress,omitempty" arm:"readonly"`
	Primary           *bool      `json:"primary,omitempty" arm:"readonly"`
	VM                *reference `json:"virtualMachine,omitempty" arm:"readonly"`
	VNetEncryption    bool       `json:"vnetEncryptionSupported" arm:"readonly"`
	ProvisioningState string     `json:"provisioningState,omitempty" arm:"readonly"`
	ResourceGUID      string     `json:"resourceGuid,omitempty" arm:"readonly"`
}

type nicDNS struct {
	Servers []string `json:"dnsServers"`
	Label   string   `json:"internalDnsNameLabel,omitempty"`
	Applied []string `json:"appliedDnsServers" arm:"readonly"`
	FQDN    string   `json:"internalFqdn,omitempty" arm:"readonly"`
	Suffix  string   `json:"internalDomainNameSuffix,omitempty" arm:"readonly"`
}

type ipConfigBody struct {
	ID         string             `json:"id,omitempty" arm:"readonly"`
	Name       string             `json:"name"`
	Type       string             `json:"type,omitempty" arm:"readonly"`
	Etag       string             `json:"etag,omitempty" arm:"readonly"`
	Properties ipConfigProperties `json:"properties"`
}

type ipConfigProperties struct {
	Address           string             `json:"privateIPAddress,omitempty"`
	Method            string             `json:"privateIPAllocationMethod,omitempty"`
	Version           string             `json:"privateIPAddressVersion,omitempty"`
	Subnet            *reference         `json:"subnet,omitempty"`
	PublicIP          *publicIPReference `json:"publicIPAddress,omitempty"`
	Primary           bool               `json:"primary"`
	ProvisioningState string             `json:"provisioningState,omitempty" arm:"readonly"`
}

// publicIPReference is a reference to a public address, in which alone Azure
// hears more than the id: whether the address goes with the interface's machine.
type publicIPReference struct {
	ID         arm.ID `json:"id"`
	Properties struct {
		DeleteOption string `json:"deleteOption,omitempty"`

		_ struct{} `arm:"readonly=ipAddress,publicIPAddressVersion,publicIPAllocationMethod,idleTimeoutInMinutes,ipConfiguration,ipTags,dnsSettings,ddosSettings,publicIPPrefix,provisioningState,resourceGuid"`
	} `json:"properties,omitzero"`

	_ struct{} `arm:"readonly=name,type,etag,location,tags,sku,zones,resourceGroup"`
}

func referPublicIP(id arm.ID) *publicIPReference {
	if id.IsZero() {
		return nil
	}
	return &publicIPReference{ID: id}
}

// Words that several types use.
const (
	static  = "Static"
	dynamic = "Dynamic"
	ipv4    = "IPv4"
	none    = "None"
)

func viewNIC(cfg Config, o *arm.Object[NIC, NoStatus], b *nicBody) {
	n, p := &o.Spec, &b.Properties
	for _, c := range n.Configs {
		p.Configs = append(p.Configs, ipConfigBody{
			ID: o.ID.Child("ipConfigurations", c.Name).String(), Name: c.Name, Etag: o.ETag(), Type: NICType + "/ipConfigurations",
			Properties: ipConfigProperties{
				Address: c.Address.String(), Method: methodOf(c.Static), Version: ipv4,
				Subnet: refer(c.Subnet), PublicIP: referPublicIP(c.PublicIP), Primary: c.Primary, ProvisioningState: succeeded,
			},
		})
	}
	p.NSG, p.Forwarding, p.Accelerate, p.MAC = refer(n.NSG), n.Forwarding, n.Accelerate, n.MAC
	if !n.VM.IsZero() {
		p.VM, p.Primary = refer(n.VM), &n.VMPrimary
	}
	suffix := cfg.InternalDomain(n.NetworkUID)
	p.DNS = nicDNS{Servers: text(n.DNSServers), Label: n.DNSLabel, Applied: []string{}, Suffix: suffix}
	if n.DNSLabel != "" {
		p.DNS.FQDN = n.DNSLabel + "." + suffix
	}
	p.NICType, p.AuxiliaryMode, p.AuxiliarySKU = standard, none, none
	p.ProvisioningState, p.ResourceGUID = succeeded, o.UID
}

func methodOf(isStatic bool) string {
	if isStatic {
		return static
	}
	return dynamic
}

var dnsLabel = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

// checkHardware refuses interfaces that there are none of.
func checkHardware(p *nicProperties) error {
	if _, err := arm.Enum("properties.nicType", p.NICType, standard); err != nil {
		return err
	}
	if _, err := arm.Enum("properties.auxiliaryMode", p.AuxiliaryMode, none); err != nil {
		return err
	}
	_, err := arm.Enum("properties.auxiliarySku", p.AuxiliarySKU, none)
	return err
}

// readNICDNS reads the name servers and name of an interface.
func readNICDNS(n *NIC, b *nicDNS) error {
	var err error
	if n.DNSServers, err = readNameServers("properties.dnsSettings.dnsServers", b.Servers); err != nil {
		return err
	}
	if b.Label != "" && !dnsLabel.MatchString(b.Label) {
		return arm.InvalidParameter("properties.dnsSettings.internalDnsNameLabel", "'%s' is not a host name: it must be 1 to 63 letters, digits and '-'.", b.Label)
	}
	n.DNSLabel = strings.ToLower(b.Label)
	return nil
}

func readIPConfig(ctx context.Context, c *arm.Call, e *arm.Edit[NIC, NoStatus], target string, b *ipConfigBody) (ipConfig, error) {
	p := &b.Properties
	cfg := ipConfig{target: target, IPConfig: IPConfig{Name: b.Name, Primary: p.Primary}}
	if err := itemNames.Check(b.Name); err != nil {
		return cfg, err
	}
	in := below(target, "properties")
	if _, err := arm.Enum(below(in, "privateIPAddressVersion"), p.Version, ipv4); err != nil {
		return cfg, err
	}
	method, err := arm.Enum(below(in, "privateIPAllocationMethod"), p.Method, static, dynamic)
	if err != nil {
		return cfg, err
	}
	if err := cfg.readSubnet(ctx, c, e, p.Subnet.target()); err != nil {
		return cfg, err
	}
	if p.PublicIP != nil {
		if err := cfg.readPublicIP(ctx, c, e, p.PublicIP); err != nil {
			return cfg, err
		}
	}
	if e.Was != nil {
		cfg.keep(&e.Was.Spec)
	}
	if p.Address != "" {
		if cfg.Address, err = cfg.askedFor(p.Address); err != nil {
			return cfg, err
		}
	}
	cfg.Static = method == static
	if cfg.Static && !cfg.Address.IsValid() {
		return cfg, arm.InvalidParameter(below(in, "privateIPAddress"), "A static address is asked for; privateIPAddress must say which.")
	}
	return cfg, nil
}

// readSubnet finds the subnet at id, which must be in the interface's virtual
// network if it has one already.
func (c *ipConfig) readSubnet(ctx context.Context, call *arm.Call, e *arm.Edit[NIC, NoStatus], id arm.ID) error {
	target := below(c.target, "properties.subnet.id")
	if id.IsZero() {
		return arm.InvalidParameter(target, "An IP configuration needs a subnet.")
	}
	if err := arm.CheckLink(&e.Meta, target, id, SubnetType); err != nil {
		return err
	}
	vnet, err := VNets.Find(ctx, call.Tx, id.Parent())
	if err != nil {
		return err
	}
	if vnet == nil || vnet.Location != e.Location {
		return arm.BrokenLink(&e.Meta, target, id)
	}
	if c.subnet = vnet.Spec.Subnet(id.Name()); c.subnet == nil {
		return arm.BrokenLink(&e.Meta, target, id)
	}
	if e.Spec.NetworkUID == "" {
		e.Spec.NetworkUID = vnet.UID
	}
	if e.Spec.NetworkUID != vnet.UID {
		return arm.BadRequest("SubnetsNotInSameVnet", "Subnet %s is in another virtual network than the other addresses of network interface %s. An interface stays in one virtual network.", id, e.ID.Name()).At(target)
	}
	c.Subnet = vnet.ID.Child("subnets", c.subnet.Name)
	c.space = addressesOf(vnet.UID, c.subnet.Name)
	return nil
}

func (c *ipConfig) readPublicIP(ctx context.Context, call *arm.Call, e *arm.Edit[NIC, NoStatus], b *publicIPReference) error {
	in := below(c.target, "properties.publicIPAddress")
	if _, err := arm.Enum(below(in, "properties.deleteOption"), b.Properties.DeleteOption, detach); err != nil {
		return err
	}
	target := below(in, "id")
	ip, err := arm.Linked(ctx, call.Tx, PublicIPs, &e.Meta, target, b.ID)
	if err != nil || ip == nil {
		return err
	}
	users, err := arm.Users(ctx, call.Tx, ip.ID)
	if err != nil {
		return err
	}
	for _, u := range users {
		if !u.Equal(e.ID) {
			return publicIPInUse(e.ID, ip.ID, u).At(target)
		}
	}
	c.PublicIP = ip.ID
	return nil
}

func publicIPInUse(nic, ip, user arm.ID) *arm.Error {
	return arm.BadRequest("PublicIPAddressInUse", "Resource %s is referencing public IP address %s that is already allocated to resource %s.", nic, ip, user)
}

// checkBeside refuses two configurations that cannot be on one interface.
func (c *ipConfig) checkBeside(other *ipConfig) error {
	if strings.EqualFold(c.Name, other.Name) {
		return arm.BadRequest("DuplicateResourceName", "There are two IP configurations named '%s'.", c.Name).At(below(c.target, "name"))
	}
	if !c.PublicIP.IsZero() && c.PublicIP.Equal(other.PublicIP) {
		return publicIPInUse(arm.ID{}, c.PublicIP, c.Subnet).At(below(c.target, "properties.publicIPAddress.id"))
	}
	return nil
}
