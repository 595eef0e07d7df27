# Who gets in, with what, and who may do more than before: sign-ins, STS, IAM Identity Center, IAM.

locals {
  rules = {
    # --- Sign-ins ---

    "console-sign-in-failed" = {
      description   = "A sign-in to the console failed: one is a typing error, many are somebody who guesses passwords."
      severity      = "low"
      event_names   = ["ConsoleLogin"]
      event_sources = ["signin.amazonaws.com"]
      match         = "detail.responseElements.ConsoleLogin == 'Failure'"
      title         = "A console sign-in as {{ actor }} failed from {{ source_ip }}"
      fields        = { "Reason" = "detail.errorMessage", "MFA used" = "detail.additionalEventData.MFAUsed" }
      tests = [
        {
          name   = "a wrong password"
          expect = true
          event = jsonencode({
            eventSource      = "signin.amazonaws.com", eventName = "ConsoleLogin", eventType = "AwsConsoleSignIn"
            userIdentity     = { type = "IAMUser", userName = "carol", accountId = "111122223333" }
            errorMessage     = "Failed authentication"
            responseElements = { ConsoleLogin = "Failure" }
          })
        },
        {
          name   = "a sign-in that succeeds"
          expect = false
          event = jsonencode({
            eventSource      = "signin.amazonaws.com", eventName = "ConsoleLogin", eventType = "AwsConsoleSignIn"
            userIdentity     = { type = "IAMUser", userName = "carol", accountId = "111122223333" }
            responseElements = { ConsoleLogin = "Success" }
          })
        },
      ]
    }

    "console-sign-in-failed-with-mfa" = {
      description   = "A sign-in failed at the second factor or with it: the password may be known to somebody else."
      severity      = "medium"
      event_names   = ["ConsoleLogin"]
      event_sources = ["signin.amazonaws.com"]
      match         = "detail.responseElements.ConsoleLogin == 'Failure' && detail.additionalEventData.MFAUsed == 'Yes'"
      title         = "A console sign-in with MFA as {{ actor }} failed from {{ source_ip }}"
      fields        = { "Reason" = "detail.errorMessage" }
      tests = [
        {
          name   = "the second factor is wrong"
          expect = true
          event = jsonencode({
            eventSource         = "signin.amazonaws.com", eventName = "ConsoleLogin"
            userIdentity        = { type = "IAMUser", userName = "carol" }
            responseElements    = { ConsoleLogin = "Failure" }
            additionalEventData = { MFAUsed = "Yes" }
          })
        },
        {
          name   = "a failure without a second factor"
          expect = false
          event = jsonencode({
            eventSource         = "signin.amazonaws.com", eventName = "ConsoleLogin"
            userIdentity        = { type = "IAMUser", userName = "carol" }
            responseElements    = { ConsoleLogin = "Failure" }
            additionalEventData = { MFAUsed = "No" }
          })
        },
      ]
    }

    "root-sign-in" = {
      description   = "The root user signed in: nothing restricts it, and daily work does not need it."
      severity      = "critical"
      event_names   = ["ConsoleLogin"]
      event_sources = ["signin.amazonaws.com"]
      match         = "detail.userIdentity.type == 'Root' && detail.responseElements.ConsoleLogin == 'Success'"
      title         = "Root signed in to account {{ account }}"
      fields        = { "MFA used" = "detail.additionalEventData.MFAUsed" }
      tests = [
        {
          name   = "root signs in"
          expect = true
          event = jsonencode({
            eventSource      = "signin.amazonaws.com", eventName = "ConsoleLogin"
            userIdentity     = { type = "Root", arn = "arn:aws:iam::111122223333:root" }
            responseElements = { ConsoleLogin = "Success" }
          })
        },
        {
          name   = "a user signs in"
          expect = false
          event = jsonencode({
            eventSource      = "signin.amazonaws.com", eventName = "ConsoleLogin"
            userIdentity     = { type = "IAMUser", userName = "root" }
            responseElements = { ConsoleLogin = "Success" }
          })
        },
      ]
    }

    "root-password-changed" = {
      description   = "The root user's password was changed: whoever did it holds the account."
      severity      = "critical"
      event_names   = ["PasswordUpdated"]
      event_sources = ["signin.amazonaws.com"]
      match         = "detail.userIdentity.type == 'Root' && detail.responseElements.PasswordUpdated == 'Success'"
      title         = "The root password of account {{ account }} was changed"
      tests = [
        {
          name   = "it is changed"
          expect = true
          event = jsonencode({
            eventSource      = "signin.amazonaws.com", eventName = "PasswordUpdated"
            userIdentity     = { type = "Root", arn = "arn:aws:iam::111122223333:root" }
            responseElements = { PasswordUpdated = "Success" }
          })
        },
        {
          name   = "an attempt fails"
          expect = false
          event = jsonencode({
            eventSource      = "signin.amazonaws.com", eventName = "PasswordUpdated"
            userIdentity     = { type = "Root", arn = "arn:aws:iam::111122223333:root" }
            responseElements = { PasswordUpdated = "Failure" }
          })
        },
      ]
    }

    "identity-center-sign-in" = {
      description   = "Somebody signed in through IAM Identity Center."
      severity      = "info"
      frequent      = true
      event_names   = ["Authenticate"]
      event_sources = ["sso.amazonaws.com"]
      title         = "{{ actor }} signed in through IAM Identity Center"
      tests = [
        {
          name   = "a sign-in"
          expect = true
          event  = jsonencode({ eventSource = "sso.amazonaws.com", eventName = "Authenticate", eventType = "AwsServiceEvent" })
        },
        {
          name   = "another event of Identity Center"
          expect = false
          event  = jsonencode({ eventSource = "sso.amazonaws.com", eventName = "Federate", eventType = "AwsServiceEvent" })
        },
      ]
    }

    "identity-center-token-by-device-code" = {
      description   = "An access token was handed out for a device code: command lines do so, and so does whoever sent a victim the link to confirm it."
      severity      = "medium"
      event_names   = ["CreateToken"]
      event_sources = ["sso.amazonaws.com"]
      match         = "detail.requestParameters.grantType == 'urn:ietf:params:oauth:grant-type:device_code' && !(detail.errorCode)"
      title         = "{{ actor }} got an Identity Center token by device code from {{ source_ip }}"
      tests = [
        {
          name   = "a device code is exchanged"
          expect = true
          event = jsonencode({
            eventSource       = "sso.amazonaws.com", eventName = "CreateToken"
            userIdentity      = { type = "Unknown", userName = "carol" }
            requestParameters = { grantType = "urn:ietf:params:oauth:grant-type:device_code" }
          })
        },
        {
          name   = "a token is renewed"
          expect = false
          event = jsonencode({
            eventSource       = "sso.amazonaws.com", eventName = "CreateToken"
            userIdentity      = { type = "Unknown", userName = "carol" }
            requestParameters = { grantType = "refresh_token" }
          })
        },
      ]
    }

    # --- Temporary credentials ---

    "sign-in-token-requested" = {
      description   = "Credentials were turned into a console session by something other than the access portal, as an attacker does who has stolen keys."
      severity      = "medium"
      read_only     = true
      event_names   = ["GetSigninToken"]
      event_sources = ["signin.amazonaws.com"]
      # The access portal names itself by a placeholder that its makers forgot to fill.
      match = "!contains(detail.userAgent || '', 'Jersey/$${project.version}')"
      title = "{{ actor }} asked for a console session with {{ user_agent }}"
      tests = [
        {
          name   = "a script asks"
          expect = true
          event = jsonencode({
            eventSource  = "signin.amazonaws.com", eventName = "GetSigninToken", userAgent = "Python-urllib/3.12"
            userIdentity = { type = "AssumedRole", arn = "arn:aws:sts::111122223333:assumed-role/Ops/carol" }
          })
        },
        {
          name   = "the access portal asks"
          expect = false
          event = jsonencode({
            eventSource  = "signin.amazonaws.com", eventName = "GetSigninToken", userAgent = "Jersey/$${project.version} (HttpUrlConnection 17.0.1)"
            userIdentity = { type = "AssumedRole", arn = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Ops_0a1b/carol" }
          })
        },
      ]
    }

    "session-token-for-user" = {
      description   = "An IAM user turned its key into a session token: it outlives the key by up to 36 hours."
      severity      = "medium"
      event_names   = ["GetSessionToken"]
      event_sources = ["sts.amazonaws.com"]
      match         = "detail.userIdentity.type == 'IAMUser' && !(detail.errorCode)"
      title         = "{{ actor }} got a session token from {{ source_ip }}"
      fields        = { "Key" = "detail.userIdentity.accessKeyId" }
      tests = [
        {
          name   = "an IAM user"
          expect = true
          event = jsonencode({
            eventSource = "sts.amazonaws.com", eventName = "GetSessionToken", userIdentity = { type = "IAMUser", userName = "carol" }
          })
        },
        {
          name   = "root, which other rules tell of"
          expect = false
          event  = jsonencode({ eventSource = "sts.amazonaws.com", eventName = "GetSessionToken", userIdentity = { type = "Root" } })
        },
      ]
    }

    "role-assumed-by-user" = {
      description   = "An IAM user assumed a role: the role's rights are as safe as that user's key."
      severity      = "info"
      frequent      = true
      event_names   = ["AssumeRole"]
      event_sources = ["sts.amazonaws.com"]
      match         = "detail.userIdentity.type == 'IAMUser' && !(detail.errorCode)"
      title         = "{{ actor }} assumed a role"
      fields        = { "Role" = "detail.requestParameters.roleArn", "Session" = "detail.requestParameters.roleSessionName" }
      tests = [
        {
          name   = "an IAM user"
          expect = true
          event = jsonencode({
            eventSource       = "sts.amazonaws.com", eventName = "AssumeRole", readOnly = true
            userIdentity      = { type = "IAMUser", userName = "carol" }
            requestParameters = { roleArn = "arn:aws:iam::111122223333:role/deploy", roleSessionName = "carol" }
          })
        },
        {
          name   = "a service"
          expect = false
          event = jsonencode({
            eventSource       = "sts.amazonaws.com", eventName = "AssumeRole", readOnly = true
            userIdentity      = { type = "AWSService", invokedBy = "ec2.amazonaws.com" }
            requestParameters = { roleArn = "arn:aws:iam::111122223333:role/web" }
          })
        },
      ]
    }

    "privileged-role-assumed" = {
      description   = "A role was assumed whose name says that it may do much (`privileged_roles`)."
      severity      = "high"
      event_names   = ["AssumeRole"]
      event_sources = ["sts.amazonaws.com"]
      match         = "detail.requestParameters.roleArn && matches(detail.requestParameters.roleArn, '${local.privileged_role}') && !(detail.errorCode)"
      title         = "{{ actor }} assumed a privileged role"
      fields        = { "Role" = "detail.requestParameters.roleArn", "Session" = "detail.requestParameters.roleSessionName" }
      tests = concat(
        var.privileged_roles != "admin" ? [] : [
          {
            name   = "a role of administrators"
            expect = true
            event = jsonencode({
              eventSource       = "sts.amazonaws.com", eventName = "AssumeRole"
              userIdentity      = { type = "IAMUser", userName = "carol" }
              requestParameters = { roleArn = "arn:aws:iam::111122223333:role/platform/BreakGlassAdmin" }
            })
          },
        ],
        [
          {
            name   = "an attempt that is denied"
            expect = false
            event = jsonencode({
              eventSource       = "sts.amazonaws.com", eventName = "AssumeRole", errorCode = "AccessDenied"
              userIdentity      = { type = "IAMUser", userName = "carol" }
              requestParameters = { roleArn = "arn:aws:iam::111122223333:role/platform/BreakGlassAdmin" }
            })
          },
        ],
      )
    }

    "key-tried-by-secret-scanner" = {
      description   = "A key was tried out with TruffleHog: somebody has found it where it should not be."
      severity      = "critical"
      read_only     = true
      event_names   = ["GetCallerIdentity"]
      event_sources = ["sts.amazonaws.com"]
      match         = "detail.userAgent && contains(lower(detail.userAgent), 'trufflehog')"
      title         = "A secret scanner tried a key of {{ actor }} from {{ source_ip }}"
      fields        = { "Key" = "detail.userIdentity.accessKeyId" }
      tests = [
        {
          name   = "the scanner"
          expect = true
          event = jsonencode({
            eventSource  = "sts.amazonaws.com", eventName = "GetCallerIdentity", userAgent = "TRUFFLEHOG/4"
            userIdentity = { type = "IAMUser", userName = "ci" }
          })
        },
        {
          name   = "the command line"
          expect = false
          event = jsonencode({
            eventSource  = "sts.amazonaws.com", eventName = "GetCallerIdentity", userAgent = "aws-cli/2.17.0"
            userIdentity = { type = "IAMUser", userName = "ci" }
          })
        },
      ]
    }

    # --- Users, roles and keys ---

    "user-created" = {
      description   = "An IAM user was created: a long-lived way in."
      severity      = "medium"
      event_names   = ["CreateUser"]
      event_sources = ["iam.amazonaws.com"]
      match         = "!(detail.errorCode)"
      title         = "{{ actor }} created the user {{ detail.requestParameters.userName }}"
      fields        = { "User" = "detail.requestParameters.userName" }
      tests = [
        {
          name   = "a user is created"
          expect = true
          event = jsonencode({
            eventSource       = "iam.amazonaws.com", eventName = "CreateUser"
            userIdentity      = { type = "AssumedRole", arn = "arn:aws:sts::111122223333:assumed-role/Ops/carol" }
            requestParameters = { userName = "dave" }
          })
        },
        {
          name   = "an attempt that is denied"
          expect = false
          event = jsonencode({
            eventSource       = "iam.amazonaws.com", eventName = "CreateUser", errorCode = "AccessDenied"
            userIdentity      = { type = "AssumedRole", arn = "arn:aws:sts::111122223333:assumed-role/Ops/carol" }
            requestParameters = { userName = "dave" }
          })
        },
      ]
    }

    "role-created" = {
      description   = "A role was created: whom it trusts may come in by it."
      severity      = "info"
      event_names   = ["CreateRole"]
      event_sources = ["iam.amazonaws.com"]
      match         = "!(detail.errorCode)"
      title         = "{{ actor }} created the role {{ detail.requestParameters.roleName }}"
      fields        = { "Role" = "detail.requestParameters.roleName", "Trusts" = "detail.requestParameters.assumeRolePolicyDocument" }
      tests = [
        {
          name   = "a role is created"
          expect = true
          event = jsonencode({
            eventSource = "iam.amazonaws.com", eventName = "CreateRole", userIdentity = { type = "Root" }, requestParameters = { roleName = "web" }
          })
        },
        {
          name   = "the name is taken"
          expect = false
          event = jsonencode({
            eventSource  = "iam.amazonaws.com", eventName = "CreateRole", errorCode = "EntityAlreadyExistsException"
            userIdentity = { type = "Root" }, requestParameters = { roleName = "web" }
          })
        },
      ]
    }

    "administrator-policy-attached" = {
      description   = "Somebody was given AWS's AdministratorAccess: every right there is."
      severity      = "high"
      event_names   = ["AttachRolePolicy", "AttachUserPolicy", "AttachGroupPolicy"]
      event_sources = ["iam.amazonaws.com"]
      # The partition differs: arn:aws, arn:aws-cn, arn:aws-us-gov.
      match = "detail.requestParameters.policyArn && ends_with(detail.requestParameters.policyArn, ':iam::aws:policy/AdministratorAccess') && !(detail.errorCode)"
      title = "{{ actor }} gave administrator rights"
      fields = {
        "To role"  = "detail.requestParameters.roleName"
        "To user"  = "detail.requestParameters.userName"
        "To group" = "detail.requestParameters.groupName"
      }
      tests = [
        {
          name   = "to a role, in China"
          expect = true
          event = jsonencode({
            eventSource       = "iam.amazonaws.com", eventName = "AttachRolePolicy"
            userIdentity      = { type = "IAMUser", userName = "carol" }
            requestParameters = { roleName = "web", policyArn = "arn:aws-cn:iam::aws:policy/AdministratorAccess" }
          })
        },
        {
          name   = "a policy of one's own that has the name"
          expect = false
          event = jsonencode({
            eventSource       = "iam.amazonaws.com", eventName = "AttachRolePolicy"
            userIdentity      = { type = "IAMUser", userName = "carol" }
            requestParameters = { roleName = "web", policyArn = "arn:aws:iam::111122223333:policy/AdministratorAccess" }
          })
        },
      ]
    }

    "access-key-for-another-user" = {
      description   = "A user's access key was created by somebody else, who now can be that user."
      severity      = "high"
      event_names   = ["CreateAccessKey"]
      event_sources = ["iam.amazonaws.com"]
      # Without a name in the request the key is the caller's own. The last part of the caller's ARN is the user or the session.
      match  = "detail.requestParameters.userName && split(detail.userIdentity.arn || '', '/')[-1] != detail.requestParameters.userName && !(detail.errorCode)"
      title  = "{{ actor }} created an access key for {{ detail.requestParameters.userName }}"
      fields = { "For user" = "detail.requestParameters.userName", "Key" = "detail.responseElements.accessKey.accessKeyId" }
      tests = [
        {
          name   = "for another user"
          expect = true
          event = jsonencode({
            eventSource       = "iam.amazonaws.com", eventName = "CreateAccessKey"
            userIdentity      = { type = "IAMUser", arn = "arn:aws:iam::111122223333:user/people/carol", userName = "carol" }
            requestParameters = { userName = "dave" }
          })
        },
        {
          name   = "for oneself"
          expect = false
          event = jsonencode({
            eventSource       = "iam.amazonaws.com", eventName = "CreateAccessKey"
            userIdentity      = { type = "IAMUser", arn = "arn:aws:iam::111122223333:user/people/carol", userName = "carol" }
            requestParameters = { userName = "carol" }
          })
        },
        {
          name   = "for oneself, unnamed"
          expect = false
          event = jsonencode({
            eventSource       = "iam.amazonaws.com", eventName = "CreateAccessKey"
            userIdentity      = { type = "IAMUser", arn = "arn:aws:iam::111122223333:user/people/carol", userName = "carol" }
            requestParameters = null
          })
        },
      ]
    }

    "password-for-another-user" = {
      description   = "A user's console password was set by somebody else, who now can sign in as that user."
      severity      = "medium"
      event_names   = ["CreateLoginProfile", "UpdateLoginProfile"]
      event_sources = ["iam.amazonaws.com"]
      match         = "detail.requestParameters.userName && split(detail.userIdentity.arn || '', '/')[-1] != detail.requestParameters.userName && !(detail.errorCode)"
      title         = "{{ actor }} set the console password of {{ detail.requestParameters.userName }}"
      fields        = { "For user" = "detail.requestParameters.userName", "To be changed at first sign-in" = "detail.requestParameters.passwordResetRequired" }
      tests = [
        {
          name   = "of another user"
          expect = true
          event = jsonencode({
            eventSource       = "iam.amazonaws.com", eventName = "UpdateLoginProfile"
            userIdentity      = { type = "AssumedRole", arn = "arn:aws:sts::111122223333:assumed-role/Ops/carol" }
            requestParameters = { userName = "dave" }
          })
        },
        {
          name   = "one's own"
          expect = false
          event = jsonencode({
            eventSource       = "iam.amazonaws.com", eventName = "UpdateLoginProfile"
            userIdentity      = { type = "AssumedRole", arn = "arn:aws:sts::111122223333:assumed-role/Ops/dave" }
            requestParameters = { userName = "dave" }
          })
        },
      ]
    }

    "access-key-leaked" = {
      description   = "AWS found an access key in public and put a policy on its user: the key is known to everybody."
      severity      = "critical"
      event_names   = ["PutUserPolicy"]
      event_sources = ["iam.amazonaws.com"]
      match         = "detail.requestParameters.policyName && matches(detail.requestParameters.policyName, '^AWS(CompromisedKeyQuarantine|ExposedCredentialPolicy)')"
      title         = "AWS says that an access key of {{ detail.requestParameters.userName }} is public"
      fields        = { "User" = "detail.requestParameters.userName", "Policy" = "detail.requestParameters.policyName" }
      tests = [
        {
          name   = "AWS's policy"
          expect = true
          event = jsonencode({
            eventSource       = "iam.amazonaws.com", eventName = "PutUserPolicy"
            userIdentity      = { type = "IAMUser", userName = "ci" }
            requestParameters = { userName = "ci", policyName = "AWSExposedCredentialPolicy_DO_NOT_REMOVE" }
          })
        },
        {
          name   = "a policy of one's own"
          expect = false
          event = jsonencode({
            eventSource       = "iam.amazonaws.com", eventName = "PutUserPolicy"
            userIdentity      = { type = "IAMUser", userName = "carol" }
            requestParameters = { userName = "ci", policyName = "read-artifacts" }
          })
        },
      ]
    }

    "access-key-quarantined" = {
      description   = "The policy that AWS has for leaked keys was attached to a user, a role or a group: a key of it is known to others."
      severity      = "critical"
      event_names   = ["AttachUserPolicy", "AttachRolePolicy", "AttachGroupPolicy"]
      event_sources = ["iam.amazonaws.com"]
      match         = "detail.requestParameters.policyArn && contains(detail.requestParameters.policyArn, ':iam::aws:policy/AWSCompromisedKeyQuarantine') && !(detail.errorCode)"
      title         = "{{ detail.requestParameters.userName }} is in quarantine for a leaked key"
      fields        = { "User" = "detail.requestParameters.userName", "Policy" = "detail.requestParameters.policyArn" }
      tests = [
        {
          name   = "a version of it"
          expect = true
          event = jsonencode({
            eventSource       = "iam.amazonaws.com", eventName = "AttachUserPolicy"
            userIdentity      = { type = "AWSService", invokedBy = "iam.amazonaws.com" }
            requestParameters = { userName = "ci", policyArn = "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3" }
          })
        },
        {
          name   = "another policy"
          expect = false
          event = jsonencode({
            eventSource       = "iam.amazonaws.com", eventName = "AttachUserPolicy"
            userIdentity      = { type = "IAMUser", userName = "carol" }
            requestParameters = { userName = "ci", policyArn = "arn:aws:iam::aws:policy/ReadOnlyAccess" }
          })
        },
      ]
    }

    "iam-changed" = {
      description   = "Anything in IAM was changed."
      severity      = "info"
      frequent      = true
      any_event     = true
      event_sources = ["iam.amazonaws.com"]
      match         = "!matches(detail.eventName || '', '^(Describe|Generate|Get|List|Simulate)') && !(detail.errorCode)"
      title         = "{{ actor }} changed IAM: {{ event_name }}"
      tests = [
        {
          name   = "a change"
          expect = true
          event  = jsonencode({ eventSource = "iam.amazonaws.com", eventName = "DeleteRolePolicy", userIdentity = { type = "Root" } })
        },
        {
          name   = "a look"
          expect = false
          event  = jsonencode({ eventSource = "iam.amazonaws.com", eventName = "GenerateCredentialReport", userIdentity = { type = "Root" } })
        },
      ]
    }

    # --- What was refused ---

    "calls-denied" = {
      description = "A call from outside AWS was denied: somebody wants to do what they may not."
      severity    = "low"
      frequent    = true
      any_event   = true
      match       = "(starts_with(detail.errorCode || '', 'AccessDenied') || ends_with(detail.errorCode || '', 'UnauthorizedOperation')) && !ends_with(detail.sourceIPAddress || '', '.amazonaws.com')"
      title       = "{{ event_name }} by {{ actor }} was denied"
      fields      = { "Service" = "detail.eventSource" }
      tests = [
        {
          name   = "a call is denied"
          expect = true
          event = jsonencode({
            eventSource  = "ec2.amazonaws.com", eventName = "RunInstances", errorCode = "Client.UnauthorizedOperation"
            userIdentity = { type = "IAMUser", userName = "carol" }, sourceIPAddress = "192.0.2.7"
          })
        },
        {
          name   = "a service's call is denied"
          expect = false
          event = jsonencode({
            eventSource  = "iam.amazonaws.com", eventName = "CreateServiceLinkedRole", errorCode = "AccessDenied"
            userIdentity = { type = "IAMUser", userName = "carol" }, sourceIPAddress = "autoscaling.amazonaws.com"
          })
        },
        {
          name   = "another failure"
          expect = false
          event = jsonencode({
            eventSource  = "ec2.amazonaws.com", eventName = "RunInstances", errorCode = "Client.InvalidParameterValue"
            userIdentity = { type = "IAMUser", userName = "carol" }, sourceIPAddress = "192.0.2.7"
          })
        },
      ]
    }

    "user-denied-while-looking-around" = {
      description = "An IAM user's key was denied a look at something: whoever holds it may be finding out what it is good for."
      severity    = "low"
      read_only   = true
      any_event   = true
      event_sources = [
        "account.amazonaws.com", "cloudtrail.amazonaws.com", "dynamodb.amazonaws.com", "ec2.amazonaws.com", "ecr.amazonaws.com",
        "eks.amazonaws.com", "guardduty.amazonaws.com", "iam.amazonaws.com", "kms.amazonaws.com", "lambda.amazonaws.com",
        "organizations.amazonaws.com", "rds.amazonaws.com", "s3.amazonaws.com", "secretsmanager.amazonaws.com", "ses.amazonaws.com",
        "ssm.amazonaws.com", "sts.amazonaws.com",
      ]
      # The console looks at much that its user never asked for.
      match  = <<-EOT
        detail.userIdentity.type == 'IAMUser'
          && (starts_with(detail.errorCode || '', 'AccessDenied') || ends_with(detail.errorCode || '', 'UnauthorizedOperation'))
          && (starts_with(detail.eventName || '', 'Describe') || starts_with(detail.eventName || '', 'Get') || starts_with(detail.eventName || '', 'List'))
          && !ends_with(detail.sourceIPAddress || '', '.amazonaws.com')
          && !starts_with(detail.userAgent || '', 'aws-internal/')
      EOT
      title  = "{{ actor }} was denied {{ event_name }} from {{ source_ip }}"
      fields = { "Service" = "detail.eventSource", "Key" = "detail.userIdentity.accessKeyId" }
      tests = [
        {
          name   = "a user looks around"
          expect = true
          event = jsonencode({
            eventSource  = "s3.amazonaws.com", eventName = "ListBuckets", errorCode = "AccessDenied", sourceIPAddress = "192.0.2.7"
            userIdentity = { type = "IAMUser", userName = "ci" }, userAgent = "aws-cli/2.17.0", readOnly = true
          })
        },
        {
          name   = "the console does"
          expect = false
          event = jsonencode({
            eventSource  = "s3.amazonaws.com", eventName = "ListBuckets", errorCode = "AccessDenied", sourceIPAddress = "192.0.2.7"
            userIdentity = { type = "IAMUser", userName = "ci" }, userAgent = "aws-internal/3 aws-sdk-java/1.12", readOnly = true
          })
        },
        {
          name   = "a role is denied"
          expect = false
          event = jsonencode({
            eventSource  = "s3.amazonaws.com", eventName = "ListBuckets", errorCode = "AccessDenied", sourceIPAddress = "192.0.2.7"
            userIdentity = { type = "AssumedRole", arn = "arn:aws:sts::111122223333:assumed-role/Ops/carol" }, readOnly = true
          })
        },
      ]
    }
  }

  # The role's name is what follows the last slash of its ARN.
  privileged_role = "(?i)/[^/]*(${replace(var.privileged_roles, "'", "\\'")})[^/]*$"
}
