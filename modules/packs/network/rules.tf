# What can reach what: security groups, network ACLs, gateways, routes, VPCs, mirrored traffic, VPC endpoints.

locals {
  rules = {
    "security-group-changed" = {
      description   = "A security group was changed: what may reach the instances behind it."
      severity      = "low"
      frequent      = true
      event_names   = local.security_group_events
      event_sources = ["ec2.amazonaws.com"]
      match         = "!(detail.errorCode)"
      title         = "{{ actor }} changed a security group: {{ event_name }}"
      fields        = { "Group" = "detail.requestParameters.groupId" }
      tests = [
        {
          name   = "a group is opened"
          expect = true
          event = jsonencode({
            eventSource       = "ec2.amazonaws.com", eventName = "AuthorizeSecurityGroupIngress"
            userIdentity      = { type = "IAMUser", userName = "carol" }
            requestParameters = { groupId = "sg-0a" }
          })
        },
        {
          name   = "an attempt that is denied"
          expect = false
          event = jsonencode({
            eventSource  = "ec2.amazonaws.com", eventName = "AuthorizeSecurityGroupIngress", errorCode = "Client.UnauthorizedOperation"
            userIdentity = { type = "IAMUser", userName = "carol" }
          })
        },
      ]
    }

    "security-group-changed-by-hand" = {
      description   = "A security group was changed past Terraform and CloudFormation: the next apply may undo it, and nobody reviewed it."
      severity      = "medium"
      event_names   = local.security_group_events
      event_sources = ["ec2.amazonaws.com"]
      match         = "!(detail.errorCode) && !matches(detail.userAgent || '', '(?i)(terraform|opentofu|pulumi|cloudformation)')"
      title         = "{{ actor }} changed a security group by hand: {{ event_name }}"
      fields        = { "Group" = "detail.requestParameters.groupId" }
      tests = [
        {
          name   = "in the console"
          expect = true
          event = jsonencode({
            eventSource  = "ec2.amazonaws.com", eventName = "AuthorizeSecurityGroupEgress", userAgent = "console.ec2.amazonaws.com"
            userIdentity = { type = "IAMUser", userName = "carol" }, requestParameters = { groupId = "sg-0a" }
          })
        },
        {
          name   = "by Terraform"
          expect = false
          event = jsonencode({
            eventSource  = "ec2.amazonaws.com", eventName = "CreateSecurityGroup", userAgent = "APN/1.0 HashiCorp/1.0 Terraform/1.11.4"
            userIdentity = { type = "AssumedRole", arn = "arn:aws:sts::111122223333:assumed-role/deploy/ci" }
          })
        },
      ]
    }

    "network-acl-changed" = {
      description   = "A network ACL was changed: what may enter and leave a subnet."
      severity      = "medium"
      event_names   = ["CreateNetworkAcl", "CreateNetworkAclEntry", "DeleteNetworkAcl", "DeleteNetworkAclEntry", "ReplaceNetworkAclEntry", "ReplaceNetworkAclAssociation"]
      event_sources = ["ec2.amazonaws.com"]
      match         = "!(detail.errorCode)"
      title         = "{{ actor }} changed a network ACL: {{ event_name }}"
      fields        = { "ACL" = "detail.requestParameters.networkAclId", "Network" = "detail.requestParameters.cidrBlock" }
      tests = [
        {
          name   = "an entry is deleted"
          expect = true
          event = jsonencode({
            eventSource  = "ec2.amazonaws.com", eventName = "DeleteNetworkAclEntry"
            userIdentity = { type = "IAMUser", userName = "carol" }, requestParameters = { networkAclId = "acl-0a", ruleNumber = 100 }
          })
        },
        {
          name   = "an attempt that fails"
          expect = false
          event = jsonencode({
            eventSource  = "ec2.amazonaws.com", eventName = "DeleteNetworkAclEntry", errorCode = "Client.InvalidNetworkAclEntry.NotFound"
            userIdentity = { type = "IAMUser", userName = "carol" }, requestParameters = { networkAclId = "acl-0a", ruleNumber = 100 }
          })
        },
      ]
    }

    "network-acl-opened" = {
      description   = "A network ACL lets the whole internet in."
      severity      = "high"
      event_names   = ["CreateNetworkAclEntry", "ReplaceNetworkAclEntry"]
      event_sources = ["ec2.amazonaws.com"]
      match         = <<-EOT
        (detail.requestParameters.cidrBlock == '0.0.0.0/0' || detail.requestParameters.ipv6CidrBlock == '::/0')
          && detail.requestParameters.ruleAction == 'allow'
          && detail.requestParameters.egress == `false`
          && !(detail.errorCode)
      EOT
      title         = "{{ actor }} opened a network ACL to the internet"
      fields        = { "ACL" = "detail.requestParameters.networkAclId", "Protocol" = "detail.requestParameters.aclProtocol", "Ports" = "detail.requestParameters.portRange" }
      tests = [
        {
          name   = "over IPv6"
          expect = true
          event = jsonencode({
            eventSource       = "ec2.amazonaws.com", eventName = "ReplaceNetworkAclEntry"
            userIdentity      = { type = "IAMUser", userName = "carol" }
            requestParameters = { networkAclId = "acl-0a", ipv6CidrBlock = "::/0", ruleAction = "allow", egress = false }
          })
        },
        {
          name   = "what may leave"
          expect = false
          event = jsonencode({
            eventSource       = "ec2.amazonaws.com", eventName = "CreateNetworkAclEntry"
            userIdentity      = { type = "IAMUser", userName = "carol" }
            requestParameters = { networkAclId = "acl-0a", cidrBlock = "0.0.0.0/0", ruleAction = "allow", egress = true }
          })
        },
        {
          name   = "what may not come in"
          expect = false
          event = jsonencode({
            eventSource       = "ec2.amazonaws.com", eventName = "CreateNetworkAclEntry"
            userIdentity      = { type = "IAMUser", userName = "carol" }
            requestParameters = { networkAclId = "acl-0a", cidrBlock = "0.0.0.0/0", ruleAction = "deny", egress = false }
          })
        },
      ]
    }

    "gateway-changed" = {
      description = "A gateway was changed: the way between a network and the world."
      severity    = "medium"
      event_names = [
        "AttachInternetGateway", "CreateCustomerGateway", "CreateInternetGateway", "CreateNatGateway", "DeleteCustomerGateway",
        "DeleteInternetGateway", "DeleteNatGateway", "DetachInternetGateway",
      ]
      event_sources = ["ec2.amazonaws.com"]
      match         = "!(detail.errorCode)"
      title         = "{{ actor }} changed a gateway: {{ event_name }}"
      fields        = { "Internet gateway" = "detail.requestParameters.internetGatewayId", "VPC" = "detail.requestParameters.vpcId" }
      tests = [
        {
          name   = "a gateway is detached"
          expect = true
          event = jsonencode({
            eventSource       = "ec2.amazonaws.com", eventName = "DetachInternetGateway"
            userIdentity      = { type = "IAMUser", userName = "carol" }
            requestParameters = { internetGatewayId = "igw-0a", vpcId = "vpc-0a" }
          })
        },
        {
          name   = "an attempt that fails"
          expect = false
          event = jsonencode({
            eventSource  = "ec2.amazonaws.com", eventName = "DetachInternetGateway", errorCode = "Client.Gateway.NotAttached"
            userIdentity = { type = "IAMUser", userName = "carol" }
          })
        },
      ]
    }

    "vpc-changed" = {
      description = "A VPC or its connection to another was changed."
      severity    = "medium"
      event_names = [
        "AcceptVpcPeeringConnection", "AttachClassicLinkVpc", "CreateVpc", "CreateVpcPeeringConnection", "DeleteVpc", "DeleteVpcPeeringConnection",
        "DetachClassicLinkVpc", "DisableVpcClassicLink", "EnableVpcClassicLink", "ModifyVpcAttribute", "RejectVpcPeeringConnection",
      ]
      event_sources = ["ec2.amazonaws.com"]
      match         = "!(detail.errorCode)"
      title         = "{{ actor }} changed a VPC: {{ event_name }}"
      fields        = { "VPC" = "detail.requestParameters.vpcId" }
      tests = [
        {
          name   = "a peering is accepted"
          expect = true
          event = jsonencode({
            eventSource = "ec2.amazonaws.com", eventName = "AcceptVpcPeeringConnection", userIdentity = { type = "IAMUser", userName = "carol" }
          })
        },
        {
          name   = "an attempt that fails"
          expect = false
          event = jsonencode({
            eventSource  = "ec2.amazonaws.com", eventName = "DeleteVpc", errorCode = "Client.DependencyViolation"
            userIdentity = { type = "IAMUser", userName = "carol" }
          })
        },
      ]
    }

    "traffic-mirrored" = {
      description = "Mirroring of network traffic was set up, changed or removed: a copy of what instances send can go anywhere."
      severity    = "medium"
      event_names = [
        "CreateTrafficMirrorFilter", "CreateTrafficMirrorFilterRule", "CreateTrafficMirrorSession", "CreateTrafficMirrorTarget",
        "DeleteTrafficMirrorFilter", "DeleteTrafficMirrorFilterRule", "DeleteTrafficMirrorSession", "DeleteTrafficMirrorTarget",
        "ModifyTrafficMirrorFilterNetworkServices", "ModifyTrafficMirrorFilterRule", "ModifyTrafficMirrorSession",
      ]
      event_sources = ["ec2.amazonaws.com"]
      # A failed attempt counts, too: nobody mirrors traffic by accident.
      title  = "{{ actor }} touched traffic mirroring: {{ event_name }}"
      fields = { "Request" = "detail.requestParameters" }
      tests = [
        {
          name   = "a session is made"
          expect = true
          event = jsonencode({
            eventSource = "ec2.amazonaws.com", eventName = "CreateTrafficMirrorSession", userIdentity = { type = "IAMUser", userName = "carol" }
          })
        },
        {
          name   = "a look at the sessions"
          expect = false
          event = jsonencode({
            eventSource  = "ec2.amazonaws.com", eventName = "DescribeTrafficMirrorSessions", readOnly = true
            userIdentity = { type = "IAMUser", userName = "carol" }
          })
        },
      ]
    }

    "endpoint-denied" = {
      description = "A VPC endpoint's policy denied a call: somebody inside wants to reach what the network keeps from them."
      severity    = "medium"
      any_event   = true
      # Recorded only where a trail records network activity events.
      match  = "starts_with(detail.eventType || '', 'AwsVpceEvent') && detail.errorCode == 'VpceAccessDenied'"
      title  = "A VPC endpoint denied {{ event_name }} of {{ actor }}"
      fields = { "Endpoint" = "detail.vpcEndpointId", "Bucket" = "detail.requestParameters.bucketName" }
      tests = [
        {
          name   = "an object is asked for"
          expect = true
          event = jsonencode({
            eventSource  = "s3.amazonaws.com", eventName = "GetObject", eventType = "AwsVpceEvents", errorCode = "VpceAccessDenied"
            userIdentity = { type = "AWSAccount", accountId = "444455556666" }, vpcEndpointId = "vpce-0a"
          })
        },
        {
          name   = "a bucket's policy denies it"
          expect = false
          event = jsonencode({
            eventSource  = "s3.amazonaws.com", eventName = "GetObject", eventType = "AwsApiCall", errorCode = "AccessDenied"
            userIdentity = { type = "AWSAccount", accountId = "444455556666" }
          })
        },
      ]
    }

    "endpoint-used-from-outside" = {
      description   = "S3 was reached through a VPC endpoint from an address that is not private: a network is bridged, or an address forged."
      severity      = "high"
      any_event     = true
      event_sources = ["s3.amazonaws.com"]
      match         = <<-EOT
        starts_with(detail.eventType || '', 'AwsVpceEvent')
          && (cidr_contains('0.0.0.0/0', detail.sourceIPAddress) || cidr_contains('::/0', detail.sourceIPAddress))
          && !cidr_contains('10.0.0.0/8', detail.sourceIPAddress)
          && !cidr_contains('172.16.0.0/12', detail.sourceIPAddress)
          && !cidr_contains('192.168.0.0/16', detail.sourceIPAddress)
          && !cidr_contains('100.64.0.0/10', detail.sourceIPAddress)
          && !cidr_contains('fc00::/7', detail.sourceIPAddress)
      EOT
      title         = "{{ actor }} used a VPC endpoint from {{ source_ip }}"
      fields        = { "Endpoint" = "detail.vpcEndpointId", "Bucket" = "detail.requestParameters.bucketName" }
      tests = [
        {
          name   = "a public address"
          expect = true
          event = jsonencode({
            eventSource  = "s3.amazonaws.com", eventName = "PutObject", eventType = "AwsVpceEvents", sourceIPAddress = "198.51.100.9"
            userIdentity = { type = "AssumedRole", arn = "arn:aws:sts::111122223333:assumed-role/web/i-0a" }, vpcEndpointId = "vpce-0a"
          })
        },
        {
          name   = "a private address"
          expect = false
          event = jsonencode({
            eventSource  = "s3.amazonaws.com", eventName = "PutObject", eventType = "AwsVpceEvents", sourceIPAddress = "172.31.4.5"
            userIdentity = { type = "AssumedRole", arn = "arn:aws:sts::111122223333:assumed-role/web/i-0a" }, vpcEndpointId = "vpce-0a"
          })
        },
        {
          name   = "a service"
          expect = false
          event = jsonencode({
            eventSource  = "s3.amazonaws.com", eventName = "PutObject", eventType = "AwsVpceEvents", sourceIPAddress = "athena.amazonaws.com"
            userIdentity = { type = "AssumedRole", arn = "arn:aws:sts::111122223333:assumed-role/web/i-0a" }, vpcEndpointId = "vpce-0a"
          })
        },
      ]
    }
  }

  security_group_events = [
    "AuthorizeSecurityGroupEgress", "AuthorizeSecurityGroupIngress", "CreateSecurityGroup", "DeleteSecurityGroup",
    "ModifySecurityGroupRules", "RevokeSecurityGroupEgress", "RevokeSecurityGroupIngress",
  ]
}
