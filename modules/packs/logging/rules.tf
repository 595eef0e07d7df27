# What watches and what guards: trails, detectors, query logs, guardrails.

locals {
  rules = {
    "trail-created" = {
      description   = "A trail was created: a copy of all that happens, to a bucket that may be anybody's."
      severity      = "info"
      event_names   = ["CreateTrail"]
      event_sources = ["cloudtrail.amazonaws.com"]
      match         = "!(detail.errorCode)"
      title         = "{{ actor }} created the trail {{ detail.requestParameters.name }}"
      fields        = { "Bucket" = "detail.requestParameters.s3BucketName" }
      tests = [
        {
          name   = "a trail is created"
          expect = true
          event = jsonencode({
            eventSource       = "cloudtrail.amazonaws.com", eventName = "CreateTrail", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { name = "all", s3BucketName = "logs" }
          })
        },
        {
          name   = "there is one of that name"
          expect = false
          event = jsonencode({
            eventSource = "cloudtrail.amazonaws.com", eventName = "CreateTrail", errorCode = "TrailAlreadyExistsException", userIdentity = { type = "Root" }
          })
        },
      ]
    }

    "security-service-weakened" = {
      description = "Something that watches the account was stopped, deleted or changed to see less."
      severity    = "high"
      event_names = [
        # CloudTrail
        "DeleteEventDataStore", "DeleteTrail", "PutEventSelectors", "StopEventDataStoreIngestion", "StopLogging", "UpdateTrail",
        # Config
        "DeleteConfigRule", "DeleteConfigurationAggregator", "DeleteConfigurationRecorder", "DeleteDeliveryChannel", "StopConfigurationRecorder",
        # GuardDuty
        "CreateFilter", "CreateIPSet", "DeleteDetector", "DeleteMembers", "DeletePublishingDestination", "DisassociateFromAdministratorAccount",
        "DisassociateFromMasterAccount", "DisassociateMembers", "StopMonitoringMembers", "UpdateDetector",
        # Security Hub
        "BatchDisableStandards", "DisableSecurityHub",
        # IAM Access Analyzer
        "DeleteAnalyzer",
        # WAF
        "DeleteLoggingConfiguration", "DeleteWebACL",
        # Flow logs, log groups, alarms
        "DeleteFlowLogs", "DeleteLogGroup", "DeleteAlarms", "DisableAlarmActions",
      ]
      event_sources = [
        "access-analyzer.amazonaws.com", "cloudtrail.amazonaws.com", "config.amazonaws.com", "ec2.amazonaws.com", "guardduty.amazonaws.com",
        "logs.amazonaws.com", "monitoring.amazonaws.com", "securityhub.amazonaws.com", "waf-regional.amazonaws.com", "waf.amazonaws.com",
        "wafv2.amazonaws.com",
      ]
      match  = "!(detail.errorCode)"
      title  = "{{ actor }} weakened what watches: {{ event_name }}"
      fields = { "Service" = "detail.eventSource", "Request" = "detail.requestParameters" }
      tests = [
        {
          name   = "a trail stops"
          expect = true
          event = jsonencode({
            eventSource       = "cloudtrail.amazonaws.com", eventName = "StopLogging", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { name = "all" }
          })
        },
        {
          name   = "an attempt that is denied"
          expect = false
          event = jsonencode({
            eventSource  = "guardduty.amazonaws.com", eventName = "DeleteDetector", errorCode = "AccessDenied"
            userIdentity = { type = "IAMUser", userName = "carol" }
          })
        },
      ]
    }

    "dns-query-logs-stopped" = {
      description   = "The log of DNS queries was deleted or taken from a network."
      severity      = "high"
      event_names   = ["DeleteResolverQueryLogConfig", "DisassociateResolverQueryLogConfig"]
      event_sources = ["route53resolver.amazonaws.com"]
      match         = "!(detail.errorCode)"
      title         = "{{ actor }} stopped the log of DNS queries"
      fields        = { "Configuration" = "detail.requestParameters.resolverQueryLogConfigId" }
      tests = [
        {
          name   = "it is taken from a network"
          expect = true
          event = jsonencode({
            eventSource       = "route53resolver.amazonaws.com", eventName = "DisassociateResolverQueryLogConfig"
            userIdentity      = { type = "IAMUser", userName = "carol" }
            requestParameters = { resolverQueryLogConfigId = "rqlc-0a", resourceId = "vpc-0a" }
          })
        },
        {
          name   = "there is none"
          expect = false
          event = jsonencode({
            eventSource  = "route53resolver.amazonaws.com", eventName = "DeleteResolverQueryLogConfig", errorCode = "ResourceNotFoundException"
            userIdentity = { type = "IAMUser", userName = "carol" }
          })
        },
      ]
    }

    "log-bucket-forgets" = {
      description   = "The objects of a bucket of logs (`log_buckets`) expire within days (`log_retention_days`): the traces go by themselves."
      severity      = "high"
      event_names   = ["PutBucketLifecycle"]
      event_sources = ["s3.amazonaws.com"]
      # One rule is an object, several are an array; the brackets make both an array.
      match = <<-EOT
        matches(detail.requestParameters.bucketName || '', '${local.log_bucket}')
          && ([detail.requestParameters.LifecycleConfiguration.Rule][] | [?Status == 'Enabled' && Expiration.Days < `${var.log_retention_days}`] | [0])
          && !(detail.errorCode)
      EOT
      title = "{{ actor }} has the logs in {{ detail.requestParameters.bucketName }} expire"
      fields = {
        "Bucket" = "detail.requestParameters.bucketName"
        "Days"   = "[detail.requestParameters.LifecycleConfiguration.Rule][].Expiration.Days"
      }
      tests = concat(
        var.log_buckets != "trail|logs" || var.log_retention_days <= 1 ? [] : [
          {
            name   = "one rule"
            expect = true
            event = jsonencode({
              eventSource = "s3.amazonaws.com", eventName = "PutBucketLifecycle", userIdentity = { type = "IAMUser", userName = "carol" }
              requestParameters = {
                bucketName = "example-CloudTrail", LifecycleConfiguration = { Rule = { Status = "Enabled", Expiration = { Days = 1 } } }
              }
            })
          },
          {
            name   = "the second of two rules"
            expect = true
            event = jsonencode({
              eventSource = "s3.amazonaws.com", eventName = "PutBucketLifecycle", userIdentity = { type = "IAMUser", userName = "carol" }
              requestParameters = {
                bucketName = "example-logs"
                LifecycleConfiguration = {
                  Rule = [{ Status = "Enabled", Transition = { Days = 30 } }, { Status = "Enabled", Expiration = { Days = 1 } }]
                }
              }
            })
          },
        ],
        [
          {
            name   = "a rule that is off"
            expect = false
            event = jsonencode({
              eventSource = "s3.amazonaws.com", eventName = "PutBucketLifecycle", userIdentity = { type = "IAMUser", userName = "carol" }
              requestParameters = {
                bucketName = "example-logs", LifecycleConfiguration = { Rule = { Status = "Disabled", Expiration = { Days = 1 } } }
              }
            })
          },
          {
            name   = "a look at the rules"
            expect = false
            event = jsonencode({
              eventSource = "s3.amazonaws.com", eventName = "GetBucketLifecycle", requestParameters = { bucketName = "example-logs" }
            })
          },
        ],
      )
    }

    "macie-weakened" = {
      description = "Macie was turned off, muted or slowed down: what it finds in buckets is found late or not at all."
      severity    = "medium"
      event_names = [
        "CreateFindingsFilter", "DeleteFindingsFilter", "DeleteMember", "DisableMacie", "DisableOrganizationAdminAccount",
        "DisassociateFromAdministratorAccount", "DisassociateFromMasterAccount", "DisassociateMember", "UpdateClassificationJob",
        "UpdateFindingsFilter", "UpdateMacieSession", "UpdateMemberSession",
      ]
      event_sources = ["macie.amazonaws.com", "macie2.amazonaws.com"]
      match         = "!(detail.errorCode)"
      title         = "{{ actor }} weakened Macie: {{ event_name }}"
      fields        = { "Request" = "detail.requestParameters" }
      tests = [
        {
          name   = "it is turned off"
          expect = true
          event  = jsonencode({ eventSource = "macie2.amazonaws.com", eventName = "DisableMacie", userIdentity = { type = "IAMUser", userName = "carol" } })
        },
        {
          name   = "it is turned on"
          expect = false
          event  = jsonencode({ eventSource = "macie2.amazonaws.com", eventName = "EnableMacie", userIdentity = { type = "IAMUser", userName = "carol" } })
        },
      ]
    }

    "guardrail-changed" = {
      description   = "A guardrail of Bedrock was changed or deleted: what keeps a model from saying what it should not."
      severity      = "medium"
      event_names   = ["DeleteGuardrail", "UpdateGuardrail"]
      event_sources = ["bedrock.amazonaws.com"]
      match         = "!(detail.errorCode)"
      title         = "{{ actor }} changed a guardrail: {{ event_name }}"
      fields        = { "Guardrail" = "detail.requestParameters.guardrailIdentifier" }
      tests = [
        {
          name   = "it is deleted"
          expect = true
          event = jsonencode({
            eventSource       = "bedrock.amazonaws.com", eventName = "DeleteGuardrail", userIdentity = { type = "IAMUser", userName = "carol" }
            requestParameters = { guardrailIdentifier = "gr0a" }
          })
        },
        {
          name   = "a new one"
          expect = false
          event  = jsonencode({ eventSource = "bedrock.amazonaws.com", eventName = "CreateGuardrail", userIdentity = { type = "IAMUser", userName = "carol" } })
        },
      ]
    }
  }

  log_bucket = "(?i)(${replace(var.log_buckets, "'", "\\'")})"
}
