# What runs and what it may say of itself: instances, images, disks, commands.

locals {
  rules = {
    "instances-started-or-ended" = {
      description = "Instances were started or ended by a person or a program, not by AWS itself: what costs money, and what mines coins."
      severity    = "low"
      frequent    = true
      event_names = [
        "RunInstances", "StartInstances", "StopInstances", "RebootInstances", "TerminateInstances", "CreateLaunchTemplate",
        "CreateLaunchTemplateVersion", "ModifyLaunchTemplate", "RequestSpotInstances", "RequestSpotFleet", "CreateFleet",
      ]
      event_sources = ["ec2.amazonaws.com"]
      match         = "!(detail.errorCode) && !(detail.userIdentity.invokedBy) && !ends_with(detail.sourceIPAddress || '', '.amazonaws.com')"
      title         = "{{ event_name }} by {{ actor }} in {{ region }}"
      fields = {
        "Instances" = "detail.requestParameters.instancesSet.items[].instanceId"
        "Type"      = "detail.requestParameters.instanceType"
      }
      tests = [
        {
          name   = "a person runs instances"
          expect = true
          event = jsonencode({
            eventSource       = "ec2.amazonaws.com", eventName = "RunInstances", sourceIPAddress = "192.0.2.7"
            userIdentity      = { type = "IAMUser", userName = "carol" }
            requestParameters = { instanceType = "p5.48xlarge" }
          })
        },
        {
          name   = "an auto scaling group does"
          expect = false
          event = jsonencode({
            eventSource  = "ec2.amazonaws.com", eventName = "RunInstances", sourceIPAddress = "autoscaling.amazonaws.com"
            userIdentity = { type = "AssumedRole", invokedBy = "autoscaling.amazonaws.com" }
          })
        },
        {
          name   = "a dry run"
          expect = false
          event = jsonencode({
            eventSource  = "ec2.amazonaws.com", eventName = "RunInstances", errorCode = "Client.DryRunOperation"
            userIdentity = { type = "IAMUser", userName = "carol" }
          })
        },
      ]
    }

    "instances-stopped" = {
      description   = "Instances were stopped: an outage, or room for a changed start-up script."
      severity      = "low"
      event_names   = ["StopInstances"]
      event_sources = ["ec2.amazonaws.com"]
      match         = "!(detail.errorCode)"
      title         = "{{ actor }} stopped instances in {{ region }}"
      fields        = { "Instances" = "detail.requestParameters.instancesSet.items[].instanceId", "Forced" = "detail.requestParameters.force" }
      tests = [
        {
          name   = "an instance is stopped"
          expect = true
          event = jsonencode({
            eventSource       = "ec2.amazonaws.com", eventName = "StopInstances"
            userIdentity      = { type = "IAMUser", userName = "carol" }
            requestParameters = { instancesSet = { items = [{ instanceId = "i-0a" }] }, force = false }
          })
        },
        {
          name   = "an attempt that is denied"
          expect = false
          event = jsonencode({
            eventSource  = "ec2.amazonaws.com", eventName = "StopInstances", errorCode = "Client.UnauthorizedOperation"
            userIdentity = { type = "IAMUser", userName = "carol" }
          })
        },
      ]
    }

    "startup-script-changed" = {
      description   = "The start-up script of an instance was changed: at the next start it runs as root."
      severity      = "high"
      event_names   = ["ModifyInstanceAttribute"]
      event_sources = ["ec2.amazonaws.com"]
      # CloudTrail keeps the script out of the record, but not that there was one.
      match  = "detail.requestParameters.userData && !(detail.errorCode)"
      title  = "{{ actor }} changed the start-up script of {{ detail.requestParameters.instanceId }}"
      fields = { "Instance" = "detail.requestParameters.instanceId" }
      tests = [
        {
          name   = "a new script"
          expect = true
          event = jsonencode({
            eventSource       = "ec2.amazonaws.com", eventName = "ModifyInstanceAttribute"
            userIdentity      = { type = "IAMUser", userName = "carol" }
            requestParameters = { instanceId = "i-0a", userData = "<sensitiveDataRemoved>" }
          })
        },
        {
          name   = "another attribute"
          expect = false
          event = jsonencode({
            eventSource       = "ec2.amazonaws.com", eventName = "ModifyInstanceAttribute"
            userIdentity      = { type = "IAMUser", userName = "carol" }
            requestParameters = { instanceId = "i-0a", disableApiTermination = { value = false } }
          })
        },
      ]
    }

    "startup-script-read" = {
      description   = "The start-up script of an instance was read, or an attempt was made: secrets are often in it."
      severity      = "medium"
      read_only     = true
      event_names   = ["DescribeInstanceAttribute"]
      event_sources = ["ec2.amazonaws.com"]
      match         = "detail.requestParameters.attribute == 'userData' && !(detail.userIdentity.invokedBy) && !ends_with(detail.sourceIPAddress || '', '.amazonaws.com')"
      title         = "{{ actor }} read the start-up script of {{ detail.requestParameters.instanceId }}"
      fields        = { "Instance" = "detail.requestParameters.instanceId" }
      tests = [
        {
          name   = "an attempt that is denied"
          expect = true
          event = jsonencode({
            eventSource       = "ec2.amazonaws.com", eventName = "DescribeInstanceAttribute", readOnly = true, errorCode = "Client.UnauthorizedOperation"
            userIdentity      = { type = "IAMUser", userName = "carol" }, sourceIPAddress = "192.0.2.7"
            requestParameters = { attribute = "userData", instanceId = "i-0a" }
          })
        },
        {
          name   = "another attribute"
          expect = false
          event = jsonencode({
            eventSource       = "ec2.amazonaws.com", eventName = "DescribeInstanceAttribute", readOnly = true
            userIdentity      = { type = "IAMUser", userName = "carol" }, sourceIPAddress = "192.0.2.7"
            requestParameters = { attribute = "instanceType", instanceId = "i-0a" }
          })
        },
        {
          name   = "CloudFormation looks for drift"
          expect = false
          event = jsonencode({
            eventSource       = "ec2.amazonaws.com", eventName = "DescribeInstanceAttribute", readOnly = true
            userIdentity      = { type = "AssumedRole", invokedBy = "cloudformation.amazonaws.com" }, sourceIPAddress = "cloudformation.amazonaws.com"
            requestParameters = { attribute = "userData", instanceId = "i-0a" }
          })
        },
      ]
    }

    "windows-password-read" = {
      description   = "The administrator's password of a Windows instance was asked for: once is work, for many instances it is an attack."
      severity      = "low"
      read_only     = true
      event_names   = ["GetPasswordData"]
      event_sources = ["ec2.amazonaws.com"]
      title         = "{{ actor }} asked for the password of {{ detail.requestParameters.instanceId }}"
      fields        = { "Instance" = "detail.requestParameters.instanceId" }
      tests = [
        {
          name   = "an attempt that is denied"
          expect = true
          event = jsonencode({
            eventSource       = "ec2.amazonaws.com", eventName = "GetPasswordData", readOnly = true, errorCode = "Client.UnauthorizedOperation"
            userIdentity      = { type = "IAMUser", userName = "carol" }
            requestParameters = { instanceId = "i-0a" }
          })
        },
        {
          name   = "a look at the console's output"
          expect = false
          event = jsonencode({
            eventSource       = "ec2.amazonaws.com", eventName = "GetConsoleOutput", readOnly = true
            userIdentity      = { type = "IAMUser", userName = "carol" }
            requestParameters = { instanceId = "i-0a" }
          })
        },
      ]
    }

    "image-made" = {
      description   = "An image of an instance was made, copied or imported: a whole disk in a form that can be given away."
      severity      = "low"
      event_names   = ["CopyImage", "CreateFpgaImage", "CreateImage", "CreateRestoreImageTask", "CreateStoreImageTask", "ImportImage"]
      event_sources = ["ec2.amazonaws.com"]
      match         = "!(detail.errorCode) && !(detail.userIdentity.invokedBy)"
      title         = "{{ actor }} made an image: {{ event_name }}"
      fields        = { "Image" = "detail.responseElements.imageId", "Instance" = "detail.requestParameters.instanceId" }
      tests = [
        {
          name   = "an image is copied"
          expect = true
          event = jsonencode({
            eventSource = "ec2.amazonaws.com", eventName = "CopyImage", userIdentity = { type = "IAMUser", userName = "carol", invokedBy = null }
          })
        },
        {
          name   = "a backup plan makes one"
          expect = false
          event = jsonencode({
            eventSource = "ec2.amazonaws.com", eventName = "CreateImage", userIdentity = { type = "AssumedRole", invokedBy = "backup.amazonaws.com" }
          })
        },
      ]
    }

    "disk-encryption-turned-off" = {
      description   = "New EBS volumes are no longer encrypted by default in this region."
      severity      = "high"
      event_names   = ["DisableEbsEncryptionByDefault"]
      event_sources = ["ec2.amazonaws.com"]
      match         = "!(detail.errorCode)"
      title         = "{{ actor }} turned off the encryption of new disks in {{ region }}"
      tests = [
        {
          name   = "it is turned off"
          expect = true
          event = jsonencode({
            eventSource = "ec2.amazonaws.com", eventName = "DisableEbsEncryptionByDefault", userIdentity = { type = "IAMUser", userName = "carol" }
          })
        },
        {
          name   = "it is turned on"
          expect = false
          event = jsonencode({
            eventSource = "ec2.amazonaws.com", eventName = "EnableEbsEncryptionByDefault", userIdentity = { type = "IAMUser", userName = "carol" }
          })
        },
      ]
    }

    "command-sent-to-many" = {
      description   = "A command was sent to more than one instance at once: one call, root everywhere."
      severity      = "medium"
      event_names   = ["SendCommand"]
      event_sources = ["ssm.amazonaws.com"]
      # Either the instances by their ids, or a selection such as a tag.
      match  = "(length(detail.requestParameters.instanceIds || `[]`) > `1` || detail.requestParameters.targets) && !(detail.errorCode)"
      title  = "{{ actor }} sent a command to many instances in {{ region }}"
      fields = { "Document" = "detail.requestParameters.documentName", "Instances" = "detail.requestParameters.instanceIds", "Targets" = "detail.requestParameters.targets" }
      tests = [
        {
          name   = "to all with a tag"
          expect = true
          event = jsonencode({
            eventSource       = "ssm.amazonaws.com", eventName = "SendCommand", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { documentName = "AWS-RunShellScript", targets = [{ key = "tag:role", values = ["web"] }] }
          })
        },
        {
          name   = "to two"
          expect = true
          event = jsonencode({
            eventSource       = "ssm.amazonaws.com", eventName = "SendCommand", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { documentName = "AWS-RunShellScript", instanceIds = ["i-0a", "i-0b"] }
          })
        },
        {
          name   = "to one"
          expect = false
          event = jsonencode({
            eventSource       = "ssm.amazonaws.com", eventName = "SendCommand", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { documentName = "AWS-RunShellScript", instanceIds = ["i-0a"] }
          })
        },
      ]
    }
  }
}
