package rights

import "slices"

// IDs of Azure's roles that the code refers to.
const (
	OwnerID       = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
	ContributorID = "b24988ac-6180-42a0-ab88-20f7382dd24c"
	ReaderID      = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
)

// builtIn are Azure's roles that are about what this cloud has, under Azure's
// ids and with its permissions, by id.
var builtIn = func() map[string]*Role {
	m := map[string]*Role{}
	for _, r := range builtInRoles {
		r.builtIn = true
		m[r.ID] = r.compile()
	}
	return m
}()

func role(id, name, description string, actions ...string) *Role {
	return &Role{ID: id, Name: name, Description: description, Permissions: []Permission{{Actions: actions}}}
}

func (r *Role) without(actions ...string) *Role {
	r.Permissions[0].NotActions = actions
	return r
}

func (r *Role) data(actions ...string) *Role {
	r.Permissions[0].DataActions = actions
	return r
}

// seesNetwork is what those who log in to machines may look at.
var seesNetwork = []string{
	"Microsoft.Network/publicIPAddresses/read", "Microsoft.Network/virtualNetworks/read",
	"Microsoft.Network/loadBalancers/read", "Microsoft.Network/networkInterfaces/read",
	"Microsoft.Compute/virtualMachines/*/read", "Microsoft.HybridCompute/machines/*/read",
}

var builtInRoles = []*Role{
	role(OwnerID, "Owner", "Grants full access to manage all resources, including the ability to assign roles in Azure RBAC.", "*"),
	role(ContributorID, "Contributor", "Grants full access to manage all resources, but does not allow you to assign roles in Azure RBAC, manage assignments in Azure Blueprints, or share image galleries.", "*").
		without("Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write", "Microsoft.Authorization/elevateAccess/Action",
			"Microsoft.Blueprint/blueprintAssignments/write", "Microsoft.Blueprint/blueprintAssignments/delete", "Microsoft.Compute/galleries/share/action",
			"Microsoft.Purview/consents/write", "Microsoft.Purview/consents/delete", "Microsoft.Resources/deploymentStacks/manageDenySetting/action",
			"Microsoft.Subscription/cancel/action", "Microsoft.Subscription/enable/action"),
	role(ReaderID, "Reader", "View all resources, but does not allow you to make any changes.", "*/read"),
	role("18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "User Access Administrator", "Lets you manage user access to Azure resources.",
		"*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"),
	role("f58310d9-a9f6-439a-9e8d-f62e7b41a168", "Role Based Access Control Administrator", "Manage access to Azure resources by assigning roles using Azure RBAC. This role does not allow you to manage access using other ways, such as Azure Policy.",
		"Microsoft.Authorization/roleAssignments/write", "Microsoft.Authorization/roleAssignments/delete", "*/read", "Microsoft.Support/*"),
	role("9980e02c-c2be-4d73-94e8-173b1dc7cf3c", "Virtual Machine Contributor", "Lets you manage virtual machines, but not access to them, and not the virtual network or storage account they're connected to.",
		"Microsoft.Authorization/*/read", "Microsoft.Compute/availabilitySets/*", "Microsoft.Compute/locations/*", "Microsoft.Compute/virtualMachines/*",
		"Microsoft.Compute/virtualMachineScaleSets/*", "Microsoft.Compute/cloudServices/*", "Microsoft.Compute/disks/write", "Microsoft.Compute/disks/read",
		"Microsoft.Compute/disks/delete", "Microsoft.Compute/hostgroups/write", "Microsoft.Compute/hostgroups/hosts/write", "Microsoft.DevTestLab/schedules/*",
		"Microsoft.Insights/alertRules/*", "Microsoft.Network/applicationGateways/backendAddressPools/join/action", "Microsoft.Network/loadBalancers/backendAddressPools/join/action",
		"Microsoft.Network/loadBalancers/inboundNatPools/join/action", "Microsoft.Network/loadBalancers/inboundNatRules/join/action", "Microsoft.Network/loadBalancers/probes/join/action",
		"Microsoft.Network/loadBalancers/read", "Microsoft.Network/locations/*", "Microsoft.Network/networkInterfaces/*", "Microsoft.Network/networkSecurityGroups/join/action",
		"Microsoft.Network/networkSecurityGroups/read", "Microsoft.Network/publicIPAddresses/join/action", "Microsoft.Network/publicIPAddresses/read",
		"Microsoft.Network/virtualNetworks/read", "Microsoft.Network/virtualNetworks/subnets/join/action", "Microsoft.RecoveryServices/locations/*",
		"Microsoft.RecoveryServices/Vaults/backupFabrics/backupProtectionIntent/write", "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/*/read",
		"Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/read", "Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/write",
		"Microsoft.RecoveryServices/Vaults/backupPolicies/read", "Microsoft.RecoveryServices/Vaults/backupPolicies/write", "Microsoft.RecoveryServices/Vaults/read",
		"Microsoft.RecoveryServices/Vaults/usages/read", "Microsoft.RecoveryServices/Vaults/write", "Microsoft.ResourceHealth/availabilityStatuses/read",
		"Microsoft.Resources/deployments/*", "Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.SerialConsole/serialPorts/connect/action",
		"Microsoft.SqlVirtualMachine/*", "Microsoft.Storage/storageAccounts/listKeys/action", "Microsoft.Storage/storageAccounts/read", "Microsoft.Support/*"),
	role("1c0163c0-47e6-4577-8991-ea5c82e286e4", "Virtual Machine Administrator Login", "View Virtual Machines in the portal and login as administrator", append(slices.Clone(seesNetwork), "Microsoft.HybridConnectivity/endpoints/listCredentials/action")...).
		data("Microsoft.Compute/virtualMachines/login/action", "Microsoft.Compute/virtualMachines/loginAsAdmin/action", "Microsoft.HybridCompute/machines/login/action", "Microsoft.HybridCompute/machines/loginAsAdmin/action"),
	role("fb879df8-f326-4884-b1cf-06f3ad86be52", "Virtual Machine User Login", "View Virtual Machines in the portal and login as a regular user.", append(slices.Clone(seesNetwork), "Microsoft.HybridConnectivity/endpoints/listCredentials/action")...).
		data("Microsoft.Compute/virtualMachines/login/action", "Microsoft.HybridCompute/machines/login/action"),
	role("4d97b98b-1d4f-4787-a291-c67834d212e7", "Network Contributor", "Lets you manage networks, but not access to them.",
		"Microsoft.Authorization/*/read", "Microsoft.Insights/alertRules/*", "Microsoft.Network/*", "Microsoft.ResourceHealth/availabilityStatuses/read",
		"Microsoft.Resources/deployments/*", "Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.Support/*"),
	role("3e5e47e6-65f7-47ef-90b5-e5dd4d455f24", "Disk Backup Reader", "Provides permission to backup vault to perform disk backup.",
		"Microsoft.Authorization/*/read", "Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.Compute/disks/read", "Microsoft.Compute/disks/beginGetAccess/action"),
	role("b50d9833-a0cb-478e-945f-707fcc997c13", "Disk Restore Operator", "Provides permission to backup vault to perform disk restore.",
		"Microsoft.Authorization/*/read", "Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.Compute/disks/write", "Microsoft.Compute/disks/read"),
	role("4a9ae827-6dc8-4573-8ac7-8239d42aa03f", "Tag Contributor", "Lets you manage tags on entities, without providing access to the entities themselves.",
		"Microsoft.Authorization/*/read", "Microsoft.Insights/alertRules/*", "Microsoft.ResourceHealth/availabilityStatuses/read", "Microsoft.Resources/deployments/*",
		"Microsoft.Resources/subscriptions/resourceGroups/read", "Microsoft.Resources/subscriptions/resourceGroups/resources/read", "Microsoft.Resources/subscriptions/resources/read",
		"Microsoft.Support/*", "Microsoft.Resources/tags/*"),
	role("43d0d8ad-25c7-4714-9337-8ba259a9fe05", "Monitoring Reader", "Can read all monitoring data.",
		"*/read", "Microsoft.OperationalInsights/workspaces/search/action", "Microsoft.Support/*"),
}
