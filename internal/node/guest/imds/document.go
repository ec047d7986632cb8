package imds

import (
	"slices"
	"strconv"
	"strings"

	"lazuli/internal/fabric"
)

// object and list are the JSON document of /metadata/instance. It is walked by
// path, so it is not made of structs. Azure gives nearly everything as strings,
// numbers and booleans too.
type (
	object = map[string]any
	list   = []any
)

// Guest is the machine that asks, as the node knows it.
type Guest struct {
	Machine fabric.Machine
	// Ports are those of the machine on the network that it asks by.
	Ports []fabric.Port
}

func instance(g Guest, extended bool) object {
	doc := object{"compute": compute(g.Machine), "network": object{"interface": interfaces(g)}}
	if extended {
		doc["extended"] = object{"compute": object{
			"hasCustomData": g.Machine.Provision.HasCustomData,
			"ppsType":       "None",
		}}
	}
	return doc
}

func compute(m fabric.Machine) object {
	md, p := m.Metadata, m.Provision
	return object{
		"additionalCapabilities":     object{"hibernationEnabled": "false"},
		"azEnvironment":              "AzurePublicCloud",
		"evictionPolicy":             "",
		"extendedLocation":           object{"name": "", "type": ""},
		"host":                       object{"id": ""},
		"hostGroup":                  object{"id": ""},
		"isHostCompatibilityLayerVm": "false",
		"isVmInStandbyPool":          "",
		"licenseType":                "",
		"location":                   md.Location,
		"name":                       m.Name,
		"offer":                      md.Offer,
		"osProfile": object{
			"adminUsername":                 p.AdminUsername,
			"computerName":                  p.ComputerName,
			"disablePasswordAuthentication": boolean(p.DisablePasswordAuth),
		},
		"osType":                 md.OSType,
		"physicalZone":           "",
		"placementGroupId":       "",
		"plan":                   object{"name": "", "product": "", "publisher": ""},
		"platformFaultDomain":    "0",
		"platformSubFaultDomain": "",
		"platformUpdateDomain":   "0",
		"priority":               "",
		"provider":               "Microsoft.Compute",
		"publicKeys":             keys(p.SSHKeys),
		"publisher":              md.Publisher,
		"resourceGroupName":      md.ResourceGroup,
		"resourceId":             m.ResourceID,
		"securityProfile": object{
			"encryptionAtHost": "false", "secureBootEnabled": "false", "securityType": "", "virtualTpmEnabled": "false",
		},
		"sku":                    md.SKU,
		"storageProfile":         storage(md),
		"subscriptionId":         md.SubscriptionID,
		"tags":                   tags(md.Tags),
		"tagsList":               tagsList(md.Tags),
		"userData":               p.UserData,
		"version":                md.Version,
		"virtualMachineScaleSet": object{"id": ""},
		"vmId":                   strings.ToLower(m.UID),
		"vmScaleSetName":         "",
		"vmSize":                 md.VMSize,
		"zone":                   md.Zone,
	}
}

func keys(ks []fabric.SSHKey) list {
	l := list{}
	for _, k := range ks {
		l = append(l, object{"keyData": k.KeyData, "path": k.Path})
	}
	return l
}

func storage(md fabric.Metadata) object {
	data := list{}
	for _, d := range md.DataDisks {
		disk := disk(d.Name)
		disk["lun"] = strconv.Itoa(d.LUN)
		disk["diskSizeGB"] = strconv.Itoa(d.SizeGB)
		disk["diskCapacityBytes"] = strconv.FormatInt(int64(d.SizeGB)<<30, 10)
		disk["isSharedDisk"] = "false"
		disk["isUltraDisk"] = "false"
		data = append(data, disk)
	}
	osDisk := disk(md.OSDiskName)
	osDisk["osType"] = md.OSType
	osDisk["diffDiskSettings"] = object{"option": ""}
	osDisk["encryptionSettings"] = object{
		"diskEncryptionKey": object{"secretUrl": "", "sourceVault": object{"id": ""}},
		"enabled":           "false",
		"keyEncryptionKey":  object{"keyUrl": "", "sourceVault": object{"id": ""}},
	}
	return object{
		"dataDisks": data,
		"imageReference": object{
			"id": md.ImageID, "offer": md.Offer, "publisher": md.Publisher, "sku": md.SKU, "version": md.Version,
		},
		"osDisk":       osDisk,
		"resourceDisk": object{"size": "0"}, // there is no temporary disk
	}
}

// disk is what data disks and the OS disk have in common.
func disk(name string) object {
	return object{
		"caching": "", "createOption": "", "diskSizeGB": "",
		"image":                   object{"uri": ""},
		"managedDisk":             object{"id": "", "storageAccountType": ""},
		"name":                    name,
		"vhd":                     object{"uri": ""},
		"writeAcceleratorEnabled": "false",
	}
}

func sortedNames(tags map[string]string) []string {
	names := make([]string, 0, len(tags))
	for n := range tags {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// tags is Azure's old form, which cannot be read back when a value has a
// semicolon; tagsList can.
func tags(m map[string]string) string {
	var parts []string
	for _, n := range sortedNames(m) {
		parts = append(parts, n+":"+m[n])
	}
	return strings.Join(parts, ";")
}

func tagsList(m map[string]string) list {
	l := list{}
	for _, n := range sortedNames(m) {
		l = append(l, object{"name": n, "value": m[n]})
	}
	return l
}

// interfaces lists the machine's interfaces, the primary one first.
func interfaces(g Guest) list {
	l := list{}
	for _, nic := range g.Machine.NICs {
		for _, p := range g.Ports {
			if p.UID == nic.UID {
				l = append(l, networkInterface(p))
			}
		}
	}
	return l
}

func networkInterface(p fabric.Port) object {
	v4, v6 := list{}, list{}
	subnet4, subnet6 := list{}, list{}
	seen := map[string]bool{}
	for _, a := range p.Addresses {
		prefix := a.Subnet.Masked()
		subnet := object{"address": prefix.Addr().String(), "prefix": strconv.Itoa(prefix.Bits())}
		isNew := !seen[prefix.String()]
		seen[prefix.String()] = true
		if a.Private.Is6() {
			v6 = append(v6, object{"privateIpAddress": a.Private.String()})
			if isNew {
				subnet6 = append(subnet6, subnet)
			}
			continue
		}
		public := ""
		if a.Public.IsValid() {
			public = a.Public.String()
		}
		v4 = append(v4, object{"privateIpAddress": a.Private.String(), "publicIpAddress": public})
		if isNew {
			subnet4 = append(subnet4, subnet)
		}
	}
	six := object{"ipAddress": v6}
	if len(v6) > 0 {
		six["subnet"] = subnet6
	}
	return object{
		"ipv4":       object{"ipAddress": v4, "subnet": subnet4},
		"ipv6":       six,
		"macAddress": strings.ToUpper(strings.NewReplacer(":", "", "-", "").Replace(p.MAC)),
	}
}

func boolean(b bool) string { return strconv.FormatBool(b) }
