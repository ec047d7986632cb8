package api_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v3"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/monitor/armmonitor"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/network/armnetwork/v11"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armlocks"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources/v4"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions/v2"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/storage/armstorage/v3"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/subscription/armsubscription"

	"lazuli/internal/arm/armtest"
)

// shapes are the structs of Azure's SDK that hold what a path answers with.
var shapes = []struct {
	path *regexp.Regexp
	sdk  any
}{
	shape(`/virtualMachines`, armcompute.VirtualMachineListResult{}),
	shape(`/virtualMachines/[^/]+`, armcompute.VirtualMachine{}),
	shape(`/virtualMachines/[^/]+/instanceView`, armcompute.VirtualMachineInstanceView{}),
	shape(`/virtualMachines/[^/]+/retrieveBootDiagnosticsData`, armcompute.RetrieveBootDiagnosticsDataResult{}),
	shape(`/vmSizes`, armcompute.VirtualMachineSizeListResult{}),
	shape(`/Microsoft.Compute/skus`, armcompute.ResourceSKUsResult{}),
	shape(`/Microsoft.Network/locations/[^/]+/usages`, armnetwork.UsagesListResult{}),
	shape(`/serviceTags`, armnetwork.ServiceTagsListResult{}),
	shape(`/usages`, armcompute.ListUsagesResult{}),
	shape(`/publishers(/[^/]+/artifacttypes/vmimage/offers(/[^/]+/skus(/[^/]+/versions)?)?)?`, []armcompute.VirtualMachineImageResource{}),
	shape(`/vmextension/types(/[^/]+/versions)?`, []armcompute.VirtualMachineExtensionImage{}),
	shape(`/vmextension/types/[^/]+/versions/[^/]+`, armcompute.VirtualMachineExtensionImage{}),
	shape(`/versions/[^/]+`, armcompute.VirtualMachineImage{}),
	shape(`/versions expanded`, []armcompute.VirtualMachineImage{}),
	shape(`/disks`, armcompute.DiskList{}),
	shape(`/disks/[^/]+`, armcompute.Disk{}),
	shape(`/virtualMachines/[^/]+/attachDetachDataDisks`, armcompute.StorageProfile{}),
	shape(`/extensions`, armcompute.VirtualMachineExtensionsListResult{}),
	shape(`/extensions/[^/]+`, armcompute.VirtualMachineExtension{}),
	shape(`/locations/[^/]+/runCommands`, armcompute.RunCommandListResult{}),
	shape(`/locations/[^/]+/runCommands/[^/]+`, armcompute.RunCommandDocument{}),
	shape(`/availabilitySets`, armcompute.AvailabilitySetListResult{}),
	shape(`/availabilitySets/[^/]+`, armcompute.AvailabilitySet{}),
	shape(`/sshPublicKeys`, armcompute.SSHPublicKeysGroupListResult{}),
	shape(`/sshPublicKeys/[^/]+`, armcompute.SSHPublicKeyResource{}),
	shape(`/sshPublicKeys/[^/]+/generateKeyPair`, armcompute.SSHPublicKeyGenerateKeyPairResult{}),
	shape(`/images`, armcompute.ImageListResult{}),
	shape(`/images/[^/]+`, armcompute.Image{}),
	shape(`/virtualNetworks`, armnetwork.VirtualNetworkListResult{}),
	shape(`/virtualNetworks/[^/]+`, armnetwork.VirtualNetwork{}),
	shape(`/virtualNetworks/[^/]+/CheckIPAddressAvailability`, armnetwork.IPAddressAvailabilityResult{}),
	shape(`/CheckDnsNameAvailability`, armnetwork.DNSNameAvailabilityResult{}),
	shape(`/subnets`, armnetwork.SubnetListResult{}),
	shape(`/subnets/[^/]+`, armnetwork.Subnet{}),
	shape(`/networkSecurityGroups`, armnetwork.SecurityGroupListResult{}),
	shape(`/networkSecurityGroups/[^/]+`, armnetwork.SecurityGroup{}),
	shape(`/securityRules`, armnetwork.SecurityRuleListResult{}),
	shape(`/securityRules/[^/]+`, armnetwork.SecurityRule{}),
	shape(`/networkInterfaces`, armnetwork.InterfaceListResult{}),
	shape(`/networkInterfaces/[^/]+`, armnetwork.Interface{}),
	shape(`/publicIPAddresses`, armnetwork.PublicIPAddressListResult{}),
	shape(`/publicIPAddresses/[^/]+`, armnetwork.PublicIPAddress{}),
	shape(`/storageAccounts`, armstorage.AccountListResult{}),
	shape(`/storageAccounts/[^/]+`, armstorage.Account{}),
	shape(`/Microsoft.Storage/checkNameAvailability`, armstorage.CheckNameAvailabilityResult{}),
	shape(`/locks`, armlocks.ManagementLockListResult{}),
	shape(`/locks/[^/]+`, armlocks.ManagementLockObject{}),
	shape(`/roleDefinitions`, armauthorization.RoleDefinitionListResult{}),
	shape(`/roleDefinitions/[^/]+`, armauthorization.RoleDefinition{}),
	shape(`/roleAssignments`, armauthorization.RoleAssignmentListResult{}),
	shape(`/roleAssignments/[^/]+`, armauthorization.RoleAssignment{}),
	shape(`/denyAssignments`, armauthorization.DenyAssignmentListResult{}),
	shape(`/permissions`, armauthorization.PermissionGetResult{}),
	shape(`/eventtypes/management/values`, armmonitor.EventDataCollection{}),
	shape(`/eventcategories`, armmonitor.EventCategoryCollection{}),
	shape(`/classicAdministrators`, armauthorization.ClassicAdministratorListResult{}),
	shape(`/providerOperations`, armauthorization.ProviderOperationsMetadataListResult{}),
	shape(`/providerOperations/[^/]+`, armauthorization.ProviderOperationsMetadata{}),
	shape(`/resources`, armresources.ResourceListResult{}),
	shape(`/tags/default`, armresources.TagsResource{}),
	shape(`/tagNames`, armresources.TagsListResult{}),
	shape(`/tagNames/[^/]+`, armresources.TagDetails{}),
	shape(`/tagValues/[^/]+`, armresources.TagValue{}),
	shape(`/resourceTypes`, armresources.ProviderResourceTypeListResult{}),
	shape(`/resourceGroups`, armresources.ResourceGroupListResult{}),
	shape(`/subscriptions/[^/]+/resourceGroups/[^/]+`, armresources.ResourceGroup{}),
	shape(`^(/subscriptions/[^/]+)?/providers`, armresources.ProviderListResult{}),
	shape(`^(/subscriptions/[^/]+)?/providers/[^/]+(/register)?`, armresources.Provider{}),
	shape(`^/subscriptions`, armsubscriptions.SubscriptionListResult{}),
	shape(`^/subscriptions/[^/]+`, armsubscriptions.Subscription{}),
	shape(`/Microsoft.Subscription/aliases`, armsubscription.AliasListResult{}),
	shape(`/Microsoft.Subscription/aliases/[^/]+`, armsubscription.AliasResponse{}),
	shape(`/Microsoft.Subscription/rename`, armsubscription.RenamedSubscriptionID{}),
	shape(`/Microsoft.Subscription/cancel`, armsubscription.CanceledSubscriptionID{}),
	shape(`/Microsoft.Subscription/enable`, armsubscription.EnabledSubscriptionID{}),
	shape(`/locations`, armsubscriptions.LocationListResult{}),
	shape(`^/tenants`, armsubscriptions.TenantListResult{}),
}

func shape(path string, sdk any) (s struct {
	path *regexp.Regexp
	sdk  any
}) {
	s.path, s.sdk = regexp.MustCompile(`(?i)`+path+`/?$`), sdk
	return s
}

// fitsSDK holds every good answer to the structs of Azure's SDK: they know all
// that is in it, and what an answer has to say of polling is said.
func fitsSDK(t testing.TB, resp *http.Response, body []byte) {
	t.Helper()
	checkPolling(t, resp)
	checkAccepted(t, resp)
	if resp.StatusCode >= 300 {
		checkError(t, resp, body)
		return
	}
	if len(body) == 0 || !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		return
	}
	path := resp.Request.URL.Path
	if strings.HasSuffix(path, "/versions") && resp.Request.URL.Query().Get("$expand") == "properties" {
		path += " expanded" // then it is a list of another thing
	}
	for _, s := range shapes {
		if s.path.MatchString(path) {
			armtest.FitsSDK(t, json.RawMessage(body), reflect.New(reflect.TypeOf(s.sdk)).Interface())
			return
		}
	}
	if !otherPath.MatchString(resp.Request.URL.Path) {
		t.Errorf("no shape is known for %s", resp.Request.URL.Path)
	}
}

// otherPath is what no struct of the SDK is for.
var otherPath = regexp.MustCompile(`(?i)/operations/[^/]+$|/operationresults/[^/]+$|/Microsoft\.(Features|Authorization)/|^/metadata/|^/adfs/|^/v1\.0/|^/common/|/oauth2/|\.well-known/`)

// checkPolling: where there is an operation to poll, it is said in whole, and
// how soon.
func checkPolling(t testing.TB, resp *http.Response) {
	t.Helper()
	where := resp.Header.Get("Azure-Asyncoperation") + resp.Header.Get("Location")
	path := resp.Request.URL.Path
	polled := strings.Contains(path, "/locations/") && strings.Contains(path, "/operations/") && resp.StatusCode == 200 && resp.Request.URL.Query().Get("monitor") == ""
	if where == "" && !polled {
		if resp.StatusCode == 202 {
			t.Errorf("%s %s = 202 and says nowhere to poll", resp.Request.Method, path)
		}
		return
	}
	if where != "" && !strings.HasPrefix(where, "https://"+resp.Request.URL.Host+"/subscriptions/") {
		t.Errorf("%s is to be polled at %s, which is not absolute or elsewhere", path, where)
	}
	if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err != nil || n < 1 {
		t.Errorf("%s %s: Retry-After = %q, want seconds", resp.Request.Method, path, resp.Header.Get("Retry-After"))
	}
}

// checkError: an error of ARM says what and why, and nothing about the inside.
func checkError(t testing.TB, resp *http.Response, body []byte) {
	t.Helper()
	// What is no good HTTP is refused before it is known to be a request of ARM.
	if resp.StatusCode == http.StatusRequestHeaderFieldsTooLarge || resp.Request.Method == http.MethodHead || strings.Contains(resp.Request.URL.Path, "/oauth2/") {
		return
	}
	var b struct {
		Error struct{ Code, Message string }
	}
	if err := json.Unmarshal(body, &b); err != nil || b.Error.Code == "" || b.Error.Message == "" {
		t.Errorf("%s %s = %d %.200q, which has no code and message", resp.Request.Method, resp.Request.URL.Path, resp.StatusCode, body)
	}
	if resp.StatusCode >= 500 || strings.Contains(string(body), ".go:") || strings.Contains(string(body), "goroutine") {
		t.Errorf("%s %s = %d %s", resp.Request.Method, resp.Request.URL.Path, resp.StatusCode, body)
	}
}

// at is what is at path in a tree of JSON; nil when there is no such thing.
func at(tree any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		switch v := tree.(type) {
		case map[string]any:
			tree = v[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(v) {
				return nil
			}
			tree = v[i]
		default:
			return nil
		}
	}
	return tree
}
