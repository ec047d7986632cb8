package compute

import (
	"encoding/base64"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"lazuli/internal/arm"
)

// checkFixed refuses the values of properties that can have one only.
func checkFixed(b *vmBody) error {
	p := &b.Properties
	switch {
	case b.Identity != nil && !isNone(b.Identity.Type):
		return arm.Unsupported("identity")
	case !isNone(p.LicenseType):
		return arm.Unsupported("properties.licenseType")
	}
	securityType := ""
	if p.Security != nil {
		securityType = p.Security.Type
	}
	for _, f := range []struct{ target, value, only string }{
		{"properties.priority", p.Priority, regular},
		{"properties.storageProfile.diskControllerType", p.Storage.ControllerType, scsi},
		{"properties.securityProfile.securityType", securityType, standard},
	} {
		if _, err := arm.Enum(f.target, f.value, f.only); err != nil {
			return err
		}
	}
	return nil
}

// isNone is true of what says that there is none, in a word or by silence.
func isNone(s string) bool { return s == "" || strings.EqualFold(s, none) }

var duration = regexp.MustCompile(`^PT([0-9]{1,3}H)?([0-9]{1,3}M)?$`)

// maxDataBytes bounds custom data and user data.
const maxDataBytes = 64 << 10

// readExtras reads what stands for itself and can change.
func readExtras(v *VM, p *vmProperties) error {
	if err := readBootDiagnostics(v, p.Diagnostics); err != nil {
		return err
	}
	if p.LicenseType != "" {
		v.LicenseType = none
	}
	if p.Security != nil && p.Security.Type != "" {
		v.SecurityType = standard
	}
	if p.ExtensionsBudget != "" {
		if !duration.MatchString(p.ExtensionsBudget) {
			return arm.InvalidParameter("properties.extensionsTimeBudget", "'%s' is not a duration like PT1H30M.", p.ExtensionsBudget)
		}
		v.ExtensionsBudget = p.ExtensionsBudget
	}
	if p.UserData == nil {
		return nil // reading a machine does not show it, so that leaving it out keeps it
	}
	v.UserData = *p.UserData
	return checkData("properties.userData", v.UserData)
}

func readBootDiagnostics(v *VM, d *diagnostics) error {
	if d == nil || d.Boot == nil {
		return nil
	}
	v.BootDiagnostics, v.BootStorageURI = &d.Boot.Enabled, d.Boot.StorageURI
	if uri := d.Boot.StorageURI; uri != "" {
		u, err := url.Parse(uri)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return arm.InvalidParameter("properties.diagnosticsProfile.bootDiagnostics.storageUri", "The storage account uri '%s' is not valid: it must be like https://account.blob.core.windows.net/.", uri)
		}
	}
	return nil
}

func checkData(target, s string) error {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(b) > maxDataBytes {
		return arm.InvalidParameter(target, "The data must be in Base64 and at most %d bytes when decoded.", maxDataBytes)
	}
	return nil
}

// checkUnchanged holds a body to what cannot change of a machine: its zone,
// image and what the guest was told. What the body leaves out is as it is.
func checkUnchanged(e *vmEdit, b *vmBody) error {
	v, p := &e.Was.Spec, &b.Properties
	if len(b.Zones) > 0 && !slices.Equal(b.Zones, v.Zones) {
		return notAllowed("zones")
	}
	if id := p.AvailabilitySet.target(); !id.IsZero() && !id.Equal(v.AvailabilitySet) {
		return notAllowed("availabilitySet.id")
	}
	was := ImageRef{}
	if v.Image != nil {
		was = *v.Image
	}
	if r := p.Storage.Image; r != nil && !r.is(was) {
		return notAllowed("imageReference")
	}
	if p.OS == nil {
		return nil
	}
	if v.OS == nil {
		return arm.InvalidParameter("properties.osProfile", "The machine's OS disk was attached, so that it has no osProfile.")
	}
	return checkOSUnchanged(v.OS, p.OS)
}

// is says whether r names the image i, as far as it says anything.
func (r *imageReference) is(i ImageRef) bool {
	same := func(given, is string) bool { return given == "" || strings.EqualFold(given, is) }
	return (r.ID.IsZero() || r.ID.Equal(i.ID)) &&
		same(r.Publisher, i.Publisher) && same(r.Offer, i.Offer) && same(r.SKU, i.SKU) &&
		(same(r.Version, i.Version) || same(r.Version, i.ExactVersion))
}

func readSize(name string) (Size, error) {
	const target = "properties.hardwareProfile.vmSize"
	if name == "" {
		return Size{}, arm.InvalidParameter(target, "A virtual machine needs hardwareProfile.vmSize, like Standard_B1s.")
	}
	size, ok := FindSize(name)
	if !ok {
		names := make([]string, len(Sizes))
		for i, s := range Sizes {
			names[i] = s.Name
		}
		return Size{}, arm.InvalidParameter(target, "The value %s provided for the VM size is not valid. The valid sizes in the current location are: %s.", name, strings.Join(names, ", "))
	}
	return size, nil
}

// checkSizeFits refuses more disks or interfaces than the size has room for.
func checkSizeFits(v *VM, size Size) error {
	if len(v.DataDisks) > size.MaxDataDisks {
		return arm.Conflict("OperationNotAllowed", "The maximum number of data disks allowed to be attached to a VM of size %s is %d; %d are asked for.", size.Name, size.MaxDataDisks, len(v.DataDisks)).At("dataDisks")
	}
	if len(v.NICs) > size.MaxNICs {
		return arm.BadRequest("NetworkInterfaceCountExceeded", "The number of network interfaces for virtual machine exceeds the maximum allowed for size %s: %d are asked for, %d are allowed.", size.Name, len(v.NICs), size.MaxNICs).At("properties.networkProfile.networkInterfaces")
	}
	return nil
}
